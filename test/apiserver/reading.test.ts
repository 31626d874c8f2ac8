import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { createCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster;
before(async () => {
  cluster = await createCluster({ remembered: 8 });
});
after(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const merge = { headers: { "content-type": "application/merge-patch+json" } };
const make = (name: string, labels: Record<string, string> = {}) =>
  cluster.ask("POST", configMaps, { metadata: { name, labels } });

interface Event {
  type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- events are looked into by the tests
  object: any;
}

/** Reads events one by one; the deadline is the test runner's. */
async function watch(path: string, headers: Record<string, string> = {}) {
  const message: IncomingMessage = await cluster.open("GET", path, { headers });
  const lines = createInterface({ input: message })[Symbol.asyncIterator]();
  return {
    next: async (): Promise<Event | undefined> => {
      const { value, done } = await lines.next();
      return done === true ? undefined : (JSON.parse(value) as Event);
    },
    close: () => message.destroy(),
  };
}

const said = (event: Event | undefined): string => `${event?.type} ${event?.object.metadata.name}`;

void test("pages of a limited list are of one revision, whatever is written between them", async () => {
  for (const name of ["a1", "a2", "a3", "a4", "a5"]) await make(name, { set: "pages" });
  const query = `${configMaps}?limit=2&labelSelector=set%3Dpages`;
  const first = await cluster.ask("GET", query);
  await make("a25", { set: "pages" });
  await cluster.ask("DELETE", `${configMaps}/a4`);
  const names: string[] = [];
  let page = first;
  for (;;) {
    names.push(...page.body.items.map((item: { metadata: { name: string } }) => item.metadata.name));
    assert.equal(page.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
    if (page.body.metadata.continue === undefined) break;
    page = await cluster.ask("GET", `${query}&continue=${page.body.metadata.continue}`);
  }
  assert.deepEqual(names, ["a1", "a2", "a3", "a4", "a5"]);
});

void test("a continue token whose revision is compacted answers 410 with a token to go on with", async () => {
  for (const name of ["b1", "b2", "b3"]) await make(name, { set: "old" });
  const query = `${configMaps}?limit=1&labelSelector=set%3Dold`;
  const first = await cluster.ask("GET", query);
  await make("b9", { set: "old" });
  await cluster.store.compact(await cluster.store.revision());
  const expired = await cluster.ask("GET", `${query}&continue=${first.body.metadata.continue}`);
  assert.equal(expired.code, 410);
  assert.equal(expired.body.reason, "Expired");
  const rest = await cluster.ask("GET", `${query}&continue=${expired.body.metadata.continue}`);
  assert.equal(rest.body.items[0].metadata.name, "b2");
  assert.equal((await cluster.ask("GET", `${query}&continue=junk`)).code, 400);
});

void test("a list from the future waits, then answers 504", async () => {
  const answer = await cluster.ask("GET", `${configMaps}?resourceVersion=99999999`);
  assert.equal(answer.code, 504);
  assert.equal(answer.body.details.causes[0].reason, "ResourceVersionTooLarge");
});

void test("SVC-199: field selectors select, and an unknown label answers 400", async () => {
  await make("fields");
  const found = await cluster.ask("GET", `${configMaps}?fieldSelector=metadata.name%3Dfields`);
  assert.deepEqual(
    found.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["fields"],
  );
  const refused = await cluster.ask("GET", `${configMaps}?fieldSelector=spec.nothing%3D1`);
  assert.equal(refused.code, 400);
  assert.match(refused.body.message, /field label not supported/);
});

void test("a watch from now gives what is there, then every change, in order", async () => {
  await make("w0", { set: "order" });
  const events = await watch(`${configMaps}?watch=true&labelSelector=set%3Dorder`);
  assert.equal(said(await events.next()), "ADDED w0");
  await make("w1", { set: "order" });
  await cluster.ask("PATCH", `${configMaps}/w1`, { data: { a: "1" } }, merge);
  await cluster.ask("DELETE", `${configMaps}/w1`);
  const got = [await events.next(), await events.next(), await events.next()];
  assert.deepEqual(got.map(said), ["ADDED w1", "MODIFIED w1", "DELETED w1"]);
  const versions = got.map((event) => Number(event?.object.metadata.resourceVersion));
  assert.deepEqual(
    versions,
    [...versions].sort((a, b) => a - b),
  );
  assert.equal(got[2]?.object.data.a, "1");
  events.close();
});

void test("a watch from a revision gives the changes after it and nothing else", async () => {
  const { body } = await make("r0");
  await make("r1");
  const events = await watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
  assert.equal(said(await events.next()), "ADDED r1");
  events.close();
});

void test("SVC-201: an object that starts to match is ADDED, one that stops is DELETED", async () => {
  const { body } = await make("turn", { on: "no" });
  const events = await watch(
    `${configMaps}?watch=true&labelSelector=on%3Dyes&resourceVersion=${body.metadata.resourceVersion}`,
  );
  await cluster.ask("PATCH", `${configMaps}/turn`, { metadata: { labels: { on: "yes" } } }, merge);
  const last = await cluster.ask("PATCH", `${configMaps}/turn`, { metadata: { labels: { on: "no" } } }, merge);
  assert.equal(said(await events.next()), "ADDED turn");
  const gone = await events.next();
  assert.equal(said(gone), "DELETED turn");
  assert.equal(gone?.object.metadata.labels.on, "yes");
  assert.equal(gone?.object.metadata.resourceVersion, last.body.metadata.resourceVersion);
  events.close();
});

void test("a watch from a forgotten revision gives one ERROR event of code 410", async () => {
  const { body } = await make("past");
  for (let index = 0; index < 20; index++)
    await cluster.ask("PATCH", `${configMaps}/past`, { data: { i: `${index}` } }, merge);
  const events = await watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
  const error = await events.next();
  assert.equal(error?.type, "ERROR");
  assert.equal(error?.object.code, 410);
  assert.equal(error?.object.reason, "Expired");
  assert.equal(await events.next(), undefined);
});

void test("sendInitialEvents ends what is there with an annotated bookmark; timeoutSeconds ends the watch after a last bookmark", async () => {
  await make("init", { set: "init" });
  const query =
    "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
  const events = await watch(`${configMaps}?${query}&labelSelector=set%3Dinit`);
  assert.equal(said(await events.next()), "ADDED init");
  const mark = await events.next();
  assert.equal(mark?.type, "BOOKMARK");
  assert.equal(mark?.object.metadata.annotations["k8s.io/initial-events-end"], "true");
  const last = await events.next();
  assert.equal(last?.type, "BOOKMARK");
  assert.equal(last?.object.metadata.annotations, undefined);
  assert.equal(await events.next(), undefined);
  assert.equal((await cluster.ask("GET", `${configMaps}?watch=true&sendInitialEvents=true`)).code, 422);
});

const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

void test("a list as Table has columns, cells and the objects' metadata", async () => {
  await make("tabled", { set: "table" });
  const { body } = await cluster.ask("GET", `${configMaps}?labelSelector=set%3Dtable`, undefined, { headers: TABLE });
  assert.equal(body.kind, "Table");
  assert.equal(body.columnDefinitions[0].name, "Name");
  assert.equal(body.rows[0].cells[0], "tabled");
  assert.equal(body.rows[0].object.kind, "PartialObjectMetadata");
  const whole = await cluster.ask("GET", `${configMaps}/tabled?includeObject=Object`, undefined, { headers: TABLE });
  assert.equal(whole.body.rows[0].object.kind, "ConfigMap");
  const none = await cluster.ask("GET", `${configMaps}/tabled?includeObject=None`, undefined, { headers: TABLE });
  assert.equal(none.body.rows[0].object, null);
});

void test("a watch as Table carries the column definitions in its first event alone", async () => {
  await make("t0", { set: "tw" });
  const events = await watch(`${configMaps}?watch=true&labelSelector=set%3Dtw`, TABLE);
  const first = await events.next();
  await make("t1", { set: "tw" });
  const second = await events.next();
  assert.ok(first?.object.columnDefinitions.length > 0);
  assert.equal(second?.object.columnDefinitions, null);
  assert.equal(second?.object.rows[0].cells[0], "t1");
  events.close();
});

void test("PartialObjectMetadata leaves the data out; protobuf asked first gets JSON; protobuf alone gets 406", async () => {
  await cluster.ask("POST", configMaps, { metadata: { name: "partial" }, data: { a: "1" } });
  const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  const partial = await cluster.ask("GET", `${configMaps}/partial`, undefined, { headers: { accept } });
  assert.equal(partial.body.kind, "PartialObjectMetadata");
  assert.equal(partial.body.data, undefined);
  const both = { accept: "application/vnd.kubernetes.protobuf,application/json" };
  assert.equal(
    (await cluster.ask("GET", `${configMaps}/partial`, undefined, { headers: both })).body.kind,
    "ConfigMap",
  );
  const alone = { accept: "application/vnd.kubernetes.protobuf" };
  assert.equal((await cluster.ask("GET", `${configMaps}/partial`, undefined, { headers: alone })).code, 406);
});

void test("a large list is compressed when that is asked for", async () => {
  for (let index = 0; index < 4; index++) {
    await cluster.ask("POST", configMaps, { metadata: { name: `large-${index}` }, data: { a: "x".repeat(50_000) } });
  }
  const headers = { "accept-encoding": "gzip" };
  const squeezed = await cluster.ask("GET", configMaps, undefined, { headers });
  assert.equal(squeezed.headers["content-encoding"], "gzip");
  assert.ok(Number(squeezed.headers["content-length"]) < 50_000);
  assert.equal((await cluster.ask("GET", configMaps)).headers["content-encoding"], undefined);
});
