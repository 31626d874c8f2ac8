import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease, Node } from "../../api/generated/types.ts";
import { leases, nodes } from "../../api/resources.ts";
import type { EventRecorder } from "../../client/events.ts";
import type { Clock } from "../../observe/clock.ts";
import { silentLog } from "../../observe/log.ts";
import { fakeClient, type FakeClient } from "../../../test/node/fake-client.ts";
import { keepRegistered } from "./register.ts";

const facts = {
  nodeName: "n1",
  nodeAddresses: ["10.0.0.1"],
  podRanges: ["10.244.0.0/24"],
  capacity: { cpu: "2" },
  architecture: "x64",
  kernelVersion: "6",
  osImage: "an image",
  machineID: "m",
  bootID: "b",
  version: "v1.36.2",
  runtime: "process",
};

/** A registration under a clock of the test's own. */
function scene(client: FakeClient) {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  };
  const told: string[] = [];
  const events: EventRecorder = {
    event: (object, type, reason) => told.push(`${object.kind} ${type} ${reason}`),
    flush: () => Promise.resolve(),
    stop: () => {},
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
  };
  const stopping = new AbortController();
  const registered = keepRegistered({ client, clock, random: () => 0, log: silentLog, events, facts }, stopping.signal);
  return {
    told,
    settle,
    /** Lets time pass; only the timers that were set are what happens in it. */
    pass: async (milliseconds: number): Promise<number> => {
      const until = now + milliseconds;
      let woken = 0;
      for (;;) {
        await settle();
        const next = timers.toSorted((one, other) => one.at - other.at)[0];
        if (next === undefined || next.at > until) break;
        timers.splice(timers.indexOf(next), 1);
        now = Math.max(now, next.at);
        woken += 1;
        next.callback();
      }
      now = until;
      return woken;
    },
    stop: async (): Promise<void> => {
      stopping.abort();
      await registered;
    },
  };
}

const nodeOf = (client: FakeClient): Node | undefined => client.find(nodes, "", "n1") as Node | undefined;
const leaseOf = (client: FakeClient): Lease | undefined =>
  client.find(leases, "kube-node-lease", "n1") as Lease | undefined;
const readyOf = (client: FakeClient): string | undefined =>
  nodeOf(client)?.status?.conditions?.find(({ type }) => type === "Ready")?.status;

void test("registration: makes the Node, tells that it is ready, and holds a lease that goes with it", async () => {
  const client = fakeClient();
  const { told, settle, stop } = scene(client);
  await settle();
  assert.equal(readyOf(client), "True");
  assert.deepEqual(told, ["Node Normal Starting", "Node Normal NodeReady"]);
  const lease = leaseOf(client);
  assert.deepEqual(lease?.spec, {
    holderIdentity: "n1",
    leaseDurationSeconds: 40,
    renewTime: "2026-01-01T00:00:00.000000Z",
  });
  assert.deepEqual(lease?.metadata.ownerReferences, [
    { apiVersion: "v1", kind: "Node", name: "n1", uid: nodeOf(client)?.metadata.uid },
  ]);
  await stop();
});

void test("registration: the lease is renewed every 10 s, and nothing else happens meanwhile", async () => {
  const client = fakeClient();
  const { pass, stop } = scene(client);
  await pass(0);
  const version = nodeOf(client)?.metadata.resourceVersion;
  assert.equal(await pass(29_999), 2);
  assert.equal(leaseOf(client)?.spec?.renewTime, "2026-01-01T00:00:20.000000Z");
  assert.equal(nodeOf(client)?.metadata.resourceVersion, version, "the status is not told again");
  await pass(270_001);
  assert.equal(nodeOf(client)?.status?.conditions?.[0]?.lastHeartbeatTime, "2026-01-01T00:05:00Z");
  assert.equal(nodeOf(client)?.status?.conditions?.[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
  await stop();
});

void test("registration: an existing Node keeps its labels, its taints and unschedulable", async () => {
  const client = fakeClient();
  const taints = [{ key: "k", effect: "NoSchedule" }];
  client.put<Node>(nodes, {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", labels: { mine: "yes", "kubernetes.io/arch": "old" } },
    spec: { unschedulable: true, taints },
  });
  const { settle, stop } = scene(client);
  await settle();
  const node = nodeOf(client);
  assert.deepEqual([node?.metadata.labels?.["mine"], node?.metadata.labels?.["kubernetes.io/arch"]], ["yes", "amd64"]);
  assert.deepEqual([node?.spec?.unschedulable, node?.spec?.taints], [true, taints]);
  assert.equal(readyOf(client), "True");
  await stop();
});

void test("registration: a Node that was deleted is made again, its lease made the new one's", async () => {
  const client = fakeClient();
  const { settle, stop } = scene(client);
  await settle();
  const uid = nodeOf(client)?.metadata.uid;
  client.drop(nodes, "", "n1");
  await settle();
  const again = nodeOf(client)?.metadata.uid;
  assert.ok(again !== undefined && again !== uid);
  assert.equal(readyOf(client), "True");
  assert.equal(leaseOf(client)?.metadata.ownerReferences?.[0]?.uid, again);
  await stop();
});

void test("registration: a node that was taken for lost says at once that it is ready", async () => {
  const client = fakeClient();
  const { settle, stop, told } = scene(client);
  await settle();
  const node = nodeOf(client)!;
  const conditions = node.status?.conditions?.map((condition) =>
    condition.type === "Ready" ? { ...condition, status: "Unknown", reason: "NodeStatusUnknown" } : condition,
  );
  client.put(nodes, { ...node, status: { ...node.status, conditions } });
  await settle();
  assert.equal(readyOf(client), "True");
  assert.equal(told.filter((each) => each.endsWith("NodeReady")).length, 2);
  await stop();
});
