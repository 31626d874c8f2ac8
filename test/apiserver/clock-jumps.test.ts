import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock, type Clock } from "../../src/observe/clock.ts";
import { until } from "../lab/until.ts";
import { createCluster, type Cluster } from "./cluster.ts";

const HOUR = 3_600_000;
const configMaps = "/api/v1/namespaces/default/configmaps";
const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/** The time of day as somebody sets it: it may jump, while what is waited for goes on as it does. */
let jumped = 0;
const clock: Clock = {
  now: () => systemClock.now() + jumped,
  after: (milliseconds, callback) => systemClock.after(milliseconds, callback),
};
let cluster: Cluster;
before(async () => {
  cluster = await createCluster({ clock });
});
after(() => cluster.close());

void test("while the clock jumps hours forth and back, watches hear everything in order and revisions only rise", async () => {
  const message = await cluster.open("GET", `${configMaps}?watch=true&allowWatchBookmarks=true`);
  let heard = "";
  message.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  const revisions: number[] = [];
  for (const [index, hours] of [5, -5, 10, 0, -3].entries()) {
    jumped = hours * HOUR;
    const { code, body, text } = await cluster.ask("POST", configMaps, { metadata: { name: `at-${index}` } });
    assert.equal(code, 201, text);
    revisions.push(Number(body.metadata.resourceVersion));
    const off = Date.parse(body.metadata.creationTimestamp as string) - clock.now();
    assert.ok(Math.abs(off) < 10_000, "what is made bears the time of its day");
    const patched = await cluster.ask(
      "PATCH",
      `${configMaps}/at-0`,
      { data: { hours: String(hours) } },
      { headers: { "content-type": "application/merge-patch+json" } },
    );
    assert.equal(patched.code, 200, patched.text);
    assert.equal(
      patched.body.metadata.creationTimestamp,
      (await cluster.ask("GET", `${configMaps}/at-0`)).body.metadata.creationTimestamp,
      "and keeps it",
    );
  }
  assert.deepEqual(
    revisions,
    [...revisions].sort((a, b) => a - b),
  );
  await until("every event", () => heard.split("\n").length > 10);
  const names = heard
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } })
    .filter(({ type }) => type === "ADDED")
    .map(({ object }) => object.metadata.name);
  assert.deepEqual(names, ["at-0", "at-1", "at-2", "at-3", "at-4"]);
  message.destroy();
});

void test("a watch lives as long as it was asked to, however the clock jumps meanwhile", async () => {
  jumped = 0;
  const began = performance.now();
  const message = await cluster.open("GET", `${configMaps}?watch=true&timeoutSeconds=2`);
  jumped = 5 * HOUR;
  const ended = (async () => {
    for await (const _ of message);
  })();
  jumped = -5 * HOUR;
  await ended;
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 1.9 && seconds < 10, `${seconds} s`);
});

void test("a Lease is renewed across jumps, and whoever holds an older version of it is told so", async () => {
  jumped = 0;
  const spec = { holderIdentity: "a", leaseDurationSeconds: 15, renewTime: "2026-01-01T00:00:00.000000Z" };
  const first = (await cluster.ask("POST", leases, { metadata: { name: "held" }, spec })).body;
  jumped = -4 * HOUR;
  const renewed = await cluster.ask("PUT", `${leases}/held`, { ...first, spec: { ...spec, leaseDurationSeconds: 20 } });
  assert.equal(renewed.code, 200, renewed.text);
  jumped = 4 * HOUR;
  const stale = await cluster.ask("PUT", `${leases}/held`, { ...first, spec: { ...spec, holderIdentity: "b" } });
  assert.equal(stale.code, 409, stale.text);
  assert.equal((await cluster.ask("GET", `${leases}/held`)).body.spec.holderIdentity, "a");
});

void test("what is deleted while a finalizer holds it keeps the time of its deletion, whatever time it is", async () => {
  jumped = 2 * HOUR;
  await cluster.ask("POST", configMaps, { metadata: { name: "going", finalizers: ["example.com/hold"] } });
  const first = (await cluster.ask("DELETE", `${configMaps}/going`)).body.metadata.deletionTimestamp;
  for (const hours of [-6, 6]) {
    jumped = hours * HOUR;
    const again = (await cluster.ask("DELETE", `${configMaps}/going`)).body;
    assert.equal(again.metadata.deletionTimestamp, first);
  }
});
