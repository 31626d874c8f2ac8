import { deepEqual, equal, match } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test, type TestContext } from "node:test";
import type { Event, Secret } from "../../src/api/generated/types.ts";
import { events, namespaces, secrets } from "../../src/api/resources.ts";
import { createEventRecorder } from "../../src/client/events.ts";
import { followCookieKeys, type CookieKeySource } from "../../src/ingress/affinity/key.ts";
import { systemClock, type Clock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { createWorld, type World } from "../controllers/world.ts";
import { until } from "../lab/until.ts";

const AT = { namespace: "kube-system", name: "fairlead-ingress-cookie" };
/** Nobody waits long for what is only to come later. */
const quick: Clock = { ...systemClock, after: (wait, callback) => systemClock.after(Math.min(wait, 100), callback) };

async function worldWithSystem(t: TestContext): Promise<World> {
  const world = await createWorld(t);
  await world.client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: AT.namespace } });
  return world;
}

/** A replica of the controller, as far as its keys go. */
function replica(t: TestContext, { client }: World): CookieKeySource {
  const log = silentLog;
  const recorder = createEventRecorder({ client, component: "fairlead-ingress", clock: quick, log });
  const source = followCookieKeys({
    client,
    clock: quick,
    random: Math.random,
    randomBytes,
    log,
    events: recorder,
    secret: `${AT.namespace}/${AT.name}`,
    changed: () => undefined,
  });
  t.after(async () => {
    await source.stop();
    await recorder.flush();
    recorder.stop();
  });
  return source;
}

const inBase64 = ({ keys }: CookieKeySource): string[] => keys.map((key) => Buffer.from(key).toString("base64"));
const another = (): string => randomBytes(32).toString("base64");

void test("CTL-165: replicas that begin at once make one key of 32 bytes, and one that comes later reads it", async (t) => {
  const world = await worldWithSystem(t);
  const replicas = Array.from({ length: 5 }, () => replica(t, world));
  await Promise.all(replicas.map(({ ready }) => ready));
  const secret = await world.client.get<Secret>(secrets, AT);
  equal(secret.type, "Opaque");
  equal(Buffer.from(secret.data!["key"]!, "base64").length, 32);
  const late = replica(t, world);
  await late.ready;
  for (const one of [...replicas, late]) deepEqual(inBase64(one), [secret.data!["key"]]);
});

void test("a rotation reaches every replica, which knows both keys from then on", async (t) => {
  const world = await worldWithSystem(t);
  const replicas = [replica(t, world), replica(t, world)];
  await Promise.all(replicas.map(({ ready }) => ready));
  const [former] = inBase64(replicas[0]!);
  const key = another();
  await world.client.patch(secrets, AT, "merge", { data: { key, "previous-0": former } });
  for (const one of replicas) await until("the new key first", () => inBase64(one)[0] === key);
  for (const one of replicas) deepEqual(inBase64(one), [key, former]);
  const late = replica(t, world);
  await late.ready;
  deepEqual(inBase64(late), [key, former]);
});

void test("a key that is damaged stays as it is, and an event says what it should be", async (t) => {
  const world = await worldWithSystem(t);
  const good = another();
  const damaged: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...AT },
    type: "Opaque",
    data: { key: "c2hvcnQ=" },
  };
  await world.client.create(secrets, damaged);
  const one = replica(t, world);
  await one.ready;
  deepEqual(one.keys, []);
  const told = await until("the event", async () => {
    const { items } = await world.client.list<Event>(events, { namespace: AT.namespace });
    return items.find(({ reason }) => reason === "CookieKeyDamaged");
  });
  match(told.message!, /data\.key has 5 bytes; it should have 32/);
  equal(told.involvedObject.name, AT.name);
  equal((await world.client.get<Secret>(secrets, AT)).data!["key"], "c2hvcnQ=");
  await world.client.patch(secrets, AT, "merge", { data: { key: good } });
  await until("the mended key", () => inBase64(one)[0] === good);
});

void test("a Secret that was deleted is there again with the key in force, so that no session is lost by a restart", async (t) => {
  const world = await worldWithSystem(t);
  const replicas = [replica(t, world), replica(t, world)];
  await Promise.all(replicas.map(({ ready }) => ready));
  const keys = inBase64(replicas[0]!);
  await world.client.delete(secrets, AT);
  const again = await until("the Secret", async () => world.client.get<Secret>(secrets, AT));
  deepEqual([again.data!["key"]], keys);
  for (const one of [...replicas, replica(t, world)]) {
    await one.ready;
    deepEqual(inBase64(one), keys);
  }
});
