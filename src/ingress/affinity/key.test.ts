import { deepEqual, equal, match, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test, type TestContext } from "node:test";
import { secrets } from "../../api/resources.ts";
import type { Secret } from "../../api/generated/types.ts";
import type { Client } from "../../client/client.ts";
import { silentLog } from "../../observe/log.ts";
import { eagerClock, until } from "../../../test/client/waiting.ts";
import { fakeClient } from "../../../test/node/fake-client.ts";
import { readKeys, writeKeys } from "./key-data.ts";
import { followCookieKeys } from "./key.ts";

const NAMESPACE = "kube-system";
const NAME = "fairlead-ingress-cookie";
const secretOf = (data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: NAMESPACE, name: NAME },
  type: "Opaque",
  data,
});
const bytes = (seed: number, length = 32): Uint8Array => Buffer.alloc(length, seed);
const text = (seed: number, length = 32): string => Buffer.alloc(length, seed).toString("base64");
const seedsOf = (keys: readonly Uint8Array[]): number[] => keys.map((key) => key[0]!);

function follow(t: TestContext, client: Client, make: (length: number) => Uint8Array = randomBytes) {
  const told: string[] = [];
  const changes: number[][] = [];
  const source = followCookieKeys({
    client,
    clock: eagerClock(),
    random: Math.random,
    randomBytes: make,
    log: silentLog,
    events: { event: (_, type, reason, message) => told.push(`${type} ${reason} ${message}`) },
    secret: `${NAMESPACE}/${NAME}`,
    changed: (keys) => changes.push(seedsOf(keys)),
  });
  t.after(() => source.stop());
  return { source, told, changes };
}

void test("a key of 32 bytes is made where there is none, of type Opaque", async (t) => {
  const client = fakeClient();
  const { source } = follow(t, client, (length) => bytes(7, length));
  await source.ready;
  deepEqual(seedsOf(source.keys), [7]);
  const secret = client.find(secrets, NAMESPACE, NAME) as Secret;
  equal(secret.type, "Opaque");
  deepEqual(secret.data, { key: text(7) });
});

void test("twenty replicas that begin at once have one key", async (t) => {
  const client = fakeClient();
  const all = Array.from({ length: 20 }, () => follow(t, client));
  await Promise.all(all.map(({ source }) => source.ready));
  const keys = all.map(({ source }) => source.keys.map((key) => Buffer.from(key).toString("hex")).join());
  equal(new Set(keys).size, 1);
  match(keys[0]!, /^[0-9a-f]{64}$/);
});

void test("a rotation is followed: the new key is known at once and makes cookies a little later, the former one is known on", async (t) => {
  const client = fakeClient();
  client.put(secrets, secretOf({ key: text(1) }));
  const { source, changes } = follow(t, client);
  await source.ready;
  client.put(secrets, secretOf({ key: text(2), "previous-0": text(1) }));
  await until("the second key", () => source.keys[0]?.[0] === 2);
  client.put(secrets, secretOf({ key: text(3) }));
  await until("the third key", () => source.keys[0]?.[0] === 3);
  deepEqual(changes, [[1], [1, 2], [2, 1], [2, 3, 1], [3, 2, 1]]);
});

void test("a change of the Secret that leaves the keys as they are is none", async (t) => {
  const client = fakeClient();
  client.put(secrets, secretOf({ key: text(1) }));
  const { source, changes } = follow(t, client);
  await source.ready;
  client.put(secrets, {
    ...secretOf({ key: text(1) }),
    metadata: { namespace: NAMESPACE, name: NAME, labels: { a: "b" } },
  });
  client.put(secrets, secretOf({ key: text(2) }));
  await until("the second key", () => source.keys[0]?.[0] === 2);
  deepEqual(changes, [[1], [1, 2], [2, 1]]);
});

void test("a damaged key is told of by an event, and nothing is written in its place", async (t) => {
  const client = fakeClient();
  client.put(secrets, secretOf({ key: text(1, 5) }));
  const { source, told } = follow(t, client);
  await source.ready;
  deepEqual(source.keys, []);
  equal(told.length, 1);
  match(
    told[0]!,
    /^Warning CookieKeyDamaged Secret kube-system\/fairlead-ingress-cookie .* data\.key has 5 bytes; it should have 32/,
  );
  deepEqual((client.find(secrets, NAMESPACE, NAME) as Secret).data, { key: text(1, 5) });
  client.put(secrets, secretOf({ key: text(1) }));
  await until("the mended key", () => source.keys.length === 1);
});

void test("after a good key a damaged one changes nothing but that it is told of", async (t) => {
  const client = fakeClient();
  client.put(secrets, secretOf({ key: text(1) }));
  const { source, told, changes } = follow(t, client);
  await source.ready;
  client.put(secrets, secretOf({}));
  await until("an event", () => told.length === 1);
  match(told[0]!, /data\.key is missing.*before stay in force/);
  deepEqual(changes, [[1]]);
  deepEqual(seedsOf(source.keys), [1]);
});

void test("who finds, when it would make the Secret, that another was quicker reads that one's key at once", async (t) => {
  const server = fakeClient();
  server.put(secrets, secretOf({ key: text(5) }));
  const { kind, apiVersion, metadata } = await server.list(secrets);
  // A list from before, and a watch that says nothing yet.
  const client = { ...server, list: async () => ({ kind, apiVersion, metadata, items: [] }), async *watch() {} };
  const { source } = follow(t, client);
  await source.ready;
  deepEqual(seedsOf(source.keys), [5]);
});

void test("a Secret that was deleted is made again with the keys in force", async (t) => {
  const client = fakeClient();
  client.put(secrets, secretOf({ key: text(2), "previous-0": text(1) }));
  const { source, changes } = follow(t, client);
  await source.ready;
  client.drop(secrets, NAMESPACE, NAME);
  await until("the Secret", () => client.find(secrets, NAMESPACE, NAME) !== undefined);
  deepEqual((client.find(secrets, NAMESPACE, NAME) as Secret).data, { key: text(2), "previous-0": text(1) });
  deepEqual(changes, [[2, 1]]);
});

void test("what a Secret may say", () => {
  const cases: readonly (readonly [Record<string, string> | undefined, readonly number[], RegExp | undefined])[] = [
    [{ key: text(1) }, [1], undefined],
    [{ key: text(1, 64), other: "?" }, [1], undefined],
    [{ key: text(1), "previous-10": text(4), "previous-2": text(3), "previous-0": text(2) }, [1, 2, 3, 4], undefined],
    [{ key: text(1), "previous-0": text(2, 31) }, [1], /data\.previous-0 has 31 bytes/],
    [{ key: "not base64!" }, [], /data\.key is not base64/],
    [{ key: text(1).slice(0, -1) }, [], /data\.key is not base64/],
    [{ key: "" }, [], /data\.key has 0 bytes/],
    [{ "previous-0": text(2) }, [], /data\.key is missing/],
    [undefined, [], /data\.key is missing/],
  ];
  for (const [data, seeds, fault] of cases) {
    const { keys, faults } = readKeys(data);
    deepEqual(seedsOf(keys), seeds);
    if (fault === undefined) deepEqual(faults, []);
    else ok(faults.length === 1 && fault.test(faults[0]!), faults.join());
  }
  deepEqual(
    readKeys(writeKeys([bytes(1), bytes(2)])).keys.map((key) => Buffer.from(key)),
    [bytes(1), bytes(2)],
  );
});
