import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { pod as podOf } from "../../../test/controllers/examples.ts";
import type { Pod, ReplicaSet, ReplicationController } from "../../api/generated/types.ts";
import { decideReplicas } from "./decide.ts";
import { wantedOf } from "./replicated.ts";
import { nextStatus } from "./status.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const TEMPLATE = { metadata: { labels: { app: "web", tier: "front" } }, spec: { containers: [{ name: "c" }] } };

const set = (status?: ReplicaSet["status"], generation = 1): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { namespace: "shop", name: "web", uid: "rs-1", generation },
  spec: { replicas: 3, minReadySeconds: 10, selector: { matchLabels: { app: "web" } }, template: TEMPLATE },
  status,
});

const readyPod = (name: string, since: string, labels: Record<string, string> = { app: "web" }): Pod => {
  const pod = podOf(name, { ready: true });
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: since }];
  return { ...pod, metadata: { ...pod.metadata, labels }, status: { ...pod.status, conditions } };
};

test("CTL-124: as many pods are made or removed as are missing or too many, 500 at a time", () => {
  const property = fc.property(fc.nat(1200), fc.nat(1200), (present, wanted) => {
    const active = Array.from({ length: present }, (_, index) => podOf(`p${index}`));
    const { create, remove } = decideReplicas(active, wanted, () => active, NOW);
    const difference = Math.max(-500, Math.min(500, wanted - present));
    assert.equal(create - remove.length, difference);
    assert.ok(create === 0 || remove.length === 0);
    assert.equal(new Set(remove).size, remove.length);
  });
  fc.assert(property, { numRuns: 30, examples: [[7, 7]] });
});

test("CTL-124, CTL-129: the status counts pods, those with all labels, the ready and the available ones, and those that leave", () => {
  const active = [
    readyPod("a", "2026-01-01T00:59:50Z"),
    readyPod("b", "2026-01-01T00:59:51Z", { app: "web", tier: "front", more: "" }),
    podOf("c", { ready: false }),
  ];
  const facts = { active, leaving: 2, failure: undefined, now: NOW };
  const status = nextStatus(set(), facts);
  assert.deepEqual(status, {
    replicas: 3,
    fullyLabeledReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 2,
    observedGeneration: 1,
  });
  assert.equal(nextStatus(set(status), facts), undefined, "nothing new");
  assert.equal(nextStatus(set(status, 2), facts)?.observedGeneration, 2);
  assert.equal(nextStatus(set({ ...status, observedGeneration: 0 }), facts)?.observedGeneration, 1);
});

test("CTL-124: a failure is told once, stays while it lasts, and goes with its cause", () => {
  const facts = { active: [], leaving: 0, now: NOW };
  const failure = { reason: "FailedCreate" as const, message: "quota" };
  const failed = nextStatus(set(), { ...facts, failure });
  assert.deepEqual(failed?.conditions, [
    { type: "ReplicaFailure", status: "True", lastTransitionTime: "2026-01-01T01:00:00Z", ...failure },
  ]);
  const again = { ...facts, now: NOW + 60_000, failure: { ...failure, message: "quota, other words" } };
  assert.equal(nextStatus(set(failed), again), undefined);
  assert.equal(nextStatus(set(failed), { ...facts, failure: undefined })?.conditions, undefined);
});

test("CTL-126: a ReplicationController's selector is a map, and its status knows no terminating pods", () => {
  const object: ReplicationController = {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { namespace: "shop", name: "web", uid: "rc-1", generation: 1 },
    spec: { selector: { app: "web" }, template: TEMPLATE },
  };
  assert.deepEqual(wantedOf(object).selector, { matchLabels: { app: "web" } });
  assert.equal(wantedOf(object).replicas, 1);
  const status = nextStatus(object, { active: [], leaving: 1, failure: undefined, now: NOW });
  assert.deepEqual(status, { replicas: 0, observedGeneration: 1 });
});
