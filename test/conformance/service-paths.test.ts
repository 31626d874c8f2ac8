import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
  await subject.ask("POST", "/api/v1/namespaces", { metadata: { name: "other" } });
});
after(() => subject.close());

const collection = (namespace = "default"): string => `/api/v1/namespaces/${namespace}/services`;
const spec = { ports: [{ port: 80 }] };
const merge = { headers: { "content-type": "application/merge-patch+json" } };
const names = (body: { items: { metadata: { name: string } }[] }): string[] =>
  body.items.map(({ metadata }) => metadata.name).filter((name) => name !== "kubernetes");

/** The names in the first events of a watch. */
async function firstEvents(path: string, count: number): Promise<string[]> {
  const message = await subject.open("GET", path);
  assert.equal(message.statusCode, 200, path);
  const seen: string[] = [];
  for await (const line of createInterface({ input: message })) {
    const event = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
    assert.equal(event.type, "ADDED", line);
    if (event.object.metadata.name !== "kubernetes") seen.push(event.object.metadata.name);
    if (seen.length === count) break;
  }
  message.destroy();
  return seen.sort();
}

void test("SVC-186: Services are created, read, written, deleted, listed and watched at their paths", async () => {
  for (const [namespace, name] of [
    ["default", "one"],
    ["default", "two"],
    ["other", "three"],
  ] as const) {
    const made = await subject.ask("POST", collection(namespace), { metadata: { name }, spec });
    assert.equal(made.code, 201, made.text);
  }
  const one = `${collection()}/one`;
  const read = await subject.ask("GET", one);
  assert.deepEqual([read.code, read.body.metadata.name], [200, "one"]);
  const put = await subject.ask("PUT", one, { ...read.body, metadata: { ...read.body.metadata, labels: { a: "b" } } });
  assert.deepEqual([put.code, put.body.metadata.labels], [200, { a: "b" }]);
  const patched = await subject.ask("PATCH", one, { metadata: { labels: { a: "c" } } }, merge);
  assert.deepEqual([patched.code, patched.body.metadata.labels], [200, { a: "c" }]);

  assert.deepEqual(names((await subject.ask("GET", collection())).body), ["one", "two"]);
  assert.deepEqual(names((await subject.ask("GET", "/api/v1/services")).body).sort(), ["one", "three", "two"]);
  assert.deepEqual(await firstEvents(`${collection()}?watch=true`, 2), ["one", "two"]);
  assert.deepEqual(await firstEvents("/api/v1/services?watch=true", 3), ["one", "three", "two"]);
  assert.deepEqual(await firstEvents("/api/v1/watch/namespaces/default/services", 2), ["one", "two"]);
  assert.deepEqual(await firstEvents("/api/v1/watch/services", 3), ["one", "three", "two"]);
  assert.deepEqual(await firstEvents("/api/v1/watch/namespaces/default/services/two", 1), ["two"]);

  const removed = await subject.ask("DELETE", one);
  assert.deepEqual([removed.code, (await subject.ask("GET", one)).code], [200, 404]);
  const many = await subject.ask("DELETE", `${collection()}?fieldSelector=metadata.name%3Dtwo`);
  assert.deepEqual([many.code, names(many.body)], [200, ["two"]]);
  assert.deepEqual(names((await subject.ask("GET", collection())).body), []);
  assert.deepEqual(names((await subject.ask("GET", collection("other"))).body), ["three"]);
});
