import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease, Node, Pod } from "../../api/generated/types.ts";
import { evictionsOf, silentConditions, taintsOf } from "./decide.ts";
import { createHealth, GRACE_PERIODS } from "./health.ts";
import { leavesAt } from "./tolerated.ts";

const CREATED = Date.parse("2026-01-01T00:00:00Z");

const nodeOf = (name: string, ready?: string, zone = "z", heartbeat = "2026-01-01T00:00:00Z"): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name,
    uid: name,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { "topology.kubernetes.io/zone": zone },
  },
  ...(ready === undefined
    ? {}
    : { status: { conditions: [{ type: "Ready", status: ready, lastHeartbeatTime: heartbeat }] } }),
});

const leaseOf = (renewTime: string): Lease => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: {},
  spec: { renewTime },
});

test("CTL-117: a node is silent 50 s after its last heartbeat or renewal, as seen by our own clock", () => {
  const health = createHealth(GRACE_PERIODS);
  const silent = (seconds: number, node: Node, lease?: Lease) =>
    health.isSilent(node, lease, CREATED + 1_000_000 + seconds * 1000);
  assert.equal(silent(0, nodeOf("a", "True")), false, "what was before we came does not count");
  assert.equal(silent(50, nodeOf("a", "True")), false);
  assert.equal(silent(51, nodeOf("a", "True")), true);
  assert.equal(silent(51, nodeOf("a", "True"), leaseOf("r1")), false, "a Lease is a sign of life");
  assert.equal(silent(102, nodeOf("a", "True"), leaseOf("r1")), true);
  assert.equal(silent(102, nodeOf("a", "True"), leaseOf("r2")), false);
  assert.equal(silent(153, nodeOf("a", "True", "z", "later"), leaseOf("r2")), false, "and so is a heartbeat");
  health.excuse(CREATED + 1_300_000);
  assert.equal(silent(340, nodeOf("a", "True", "z", "later"), leaseOf("r2")), false, "we have slept");
});

test("CTL-117: a node that never said how it is has 60 s from its creation", () => {
  const health = createHealth(GRACE_PERIODS);
  assert.equal(health.isSilent(nodeOf("a"), undefined, CREATED + 59_000), false);
  assert.equal(health.isSilent(nodeOf("a"), undefined, CREATED + 61_000), true);
  const conditions = silentConditions(nodeOf("a"), CREATED + 61_000);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => [
      type,
      "Unknown",
      "NodeStatusNeverUpdated",
    ]),
  );
  const written = { ...nodeOf("a"), status: { conditions } };
  assert.equal(health.isSilent(written, undefined, CREATED + 62_000), true, "our own words are no sign of life");
  assert.deepEqual(silentConditions(written, CREATED + 62_000), []);
});

test("CTL-117: other people's taints stay, ours follow the conditions", () => {
  const node = { ...nodeOf("a", "Unknown"), spec: { taints: [{ key: "own", effect: "NoExecute" }] } };
  const wordsOf = (...of: Parameters<typeof taintsOf>): string[] | undefined =>
    taintsOf(...of)?.map(({ key, effect }) => `${key}:${effect}`);
  const marked = ["own:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"];
  assert.deepEqual(wordsOf(node, "begin", CREATED), [...marked, "node.kubernetes.io/unreachable:NoExecute"]);
  assert.deepEqual(wordsOf(node, "hold", CREATED), marked);
  const taints = taintsOf(node, "begin", CREATED) ?? [];
  assert.equal(taintsOf({ ...node, spec: { taints } }, "begin", CREATED), undefined);
  assert.equal(taintsOf({ ...node, spec: { taints } }, "hold", CREATED), undefined, "what has begun goes on");
  assert.deepEqual(wordsOf({ ...node, spec: { taints } }, "revoke", CREATED), marked);
  assert.deepEqual(wordsOf({ ...nodeOf("a", "True"), spec: { taints } }, "begin", CREATED), ["own:NoExecute"]);
  assert.deepEqual(wordsOf({ ...nodeOf("a", "False"), spec: { taints } }, "begin", CREATED), [
    "own:NoExecute",
    "node.kubernetes.io/not-ready:NoSchedule",
    "node.kubernetes.io/not-ready:NoExecute",
  ]);
});

test("CTL-117: pods stay when no node is ready, and when most of a small zone is not", () => {
  const up = (count: number, zone?: string): Node[] =>
    Array.from({ length: count }, (_, at) => nodeOf(`u${at}`, "True", zone));
  const down = (count: number, zone?: string): Node[] =>
    Array.from({ length: count }, (_, at) => nodeOf(`d${at}`, "Unknown", zone));
  const lost = nodeOf("d0", "Unknown");
  assert.equal(evictionsOf(down(2))(lost), "revoke");
  assert.equal(evictionsOf([...up(1), ...down(1)])(lost), "begin");
  assert.equal(evictionsOf([...up(1), ...down(3)])(lost), "hold");
  assert.equal(evictionsOf([...up(3), ...down(3)])(lost), "begin");
  assert.equal(evictionsOf([...up(1, "other"), ...down(3)])(lost), "begin", "a whole zone is really down");
});

const podOf = (...tolerations: NonNullable<NonNullable<Pod["spec"]>["tolerations"]>): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {},
  spec: { containers: [], tolerations },
});

test("CTL-117: a pod stays 300 s on a node in trouble unless it says otherwise, counted from the taint", () => {
  const taint = { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" };
  const left = (pod: Pod, taints = [taint]): number | undefined => {
    const at = leavesAt(pod, taints, CREATED + 100_000);
    return at === undefined || at === 0 ? at : (at - CREATED) / 1000;
  };
  assert.equal(left(podOf()), 300);
  assert.equal(left(podOf({ key: taint.key, operator: "Exists", tolerationSeconds: 5 })), 5);
  assert.equal(left(podOf({ key: taint.key, operator: "Exists", effect: "NoExecute" })), undefined);
  assert.equal(left(podOf({ operator: "Exists" })), undefined);
  assert.equal(left(podOf(), [{ ...taint, key: "work" }]), 0, "what is not tolerated drives out at once");
  assert.equal(left(podOf(), [{ ...taint, effect: "NoSchedule" }]), undefined);
  assert.equal(left(podOf(), []), undefined);
  const { timeAdded: _, ...undated } = taint;
  assert.equal(leavesAt(podOf(), [undated], CREATED + 100_000), CREATED + 400_000);
});
