import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { pod as podOf } from "../../../test/controllers/examples.ts";
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { replicaSets } from "../../api/resources.ts";
import { isAvailable, nextAvailability } from "./available.ts";
import { decideClaims } from "./claim.ts";
import { rankForDeletion } from "./rank.ts";
import { referenceTo } from "./reference.ts";
import { matcherOf } from "./selector.ts";
import { slowStart } from "./slow-start.ts";
import { generatedName, podFromTemplate } from "./template.ts";

const owner = (uid = "rs-1", deleting = false): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: {
    namespace: "shop",
    name: "web",
    uid,
    ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  },
});

const pod = (name: string, metadata: Partial<Pod["metadata"]> = {}, more: Partial<Pod> = {}): Pod => {
  const made = podOf(name, { ready: true });
  return { ...made, ...more, metadata: { ...made.metadata, ...metadata } };
};

const NOW = Date.parse("2026-01-01T01:00:00Z");
const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name ?? "");

test("CTL-124, CTL-127: an owner adopts what it selects and nobody has, and frees what it selects no longer", () => {
  const mine = [referenceTo(owner(), replicaSets)];
  const another = [referenceTo(owner("rs-2"), replicaSets)];
  const pods = [
    pod("mine", { ownerReferences: mine }),
    pod("moved", { ownerReferences: mine, labels: { app: "other" } }),
    pod("orphan"),
    pod("uncontrolled", { ownerReferences: [{ ...another[0]!, controller: false }] }),
    pod("another", { ownerReferences: another }),
    pod("stranger", { labels: { app: "other" } }),
    pod("ending", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    pod("elsewhere", { namespace: "other" }),
  ];
  const matches = matcherOf({ matchLabels: { app: "web" } });
  const claims = decideClaims(owner(), matches, pods);
  assert.deepEqual(names(claims.owned), ["mine"]);
  assert.deepEqual(names(claims.adopt), ["orphan", "uncontrolled"]);
  assert.deepEqual(names(claims.release), ["moved"]);
  const late = decideClaims(owner("rs-1", true), matches, pods);
  assert.deepEqual([names(late.owned), late.adopt, late.release], [["mine"], [], []]);
});

test("selectors match as Kubernetes reads them: In, NotIn, Exists, DoesNotExist, all of them together", () => {
  const matches = matcherOf({
    matchLabels: { app: "web" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "track", operator: "NotIn", values: ["canary"] },
      { key: "owner", operator: "Exists" },
      { key: "old", operator: "DoesNotExist" },
    ],
  });
  const good = { app: "web", tier: "a", owner: "" };
  assert.equal(matches(good), true);
  for (const wrong of [{ app: "x" }, { tier: "c" }, { track: "canary" }, { old: "" }]) {
    assert.equal(matches({ ...good, ...wrong }), false, JSON.stringify(wrong));
  }
  assert.equal(matches({ app: "web", tier: "a" }), false);
  assert.equal(matcherOf(undefined)({ app: "web" }), false);
  assert.equal(matcherOf({})(undefined), true);
});

test("CTL-124: pods go in upstream's order", () => {
  const ready = (at: string): NonNullable<Pod["status"]> => ({
    phase: "Running",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: at }],
  });
  const on = (nodeName: string): NonNullable<Pod["spec"]> => ({ containers: [], nodeName });
  const old = ready("2026-01-01T00:00:00Z");
  const cost = (value: string) => ({ annotations: { "controller.kubernetes.io/pod-deletion-cost": value } });
  const restarted = { ...old, containerStatuses: [{ name: "c", restartCount: 3 }] } as NonNullable<Pod["status"]>;
  const created = { creationTimestamp: "2025-12-31T00:00:00Z" };
  const order = [
    pod("unassigned", {}, { spec: { containers: [] }, status: { phase: "Pending" } }),
    pod("pending", {}, { spec: on("n1"), status: { phase: "Pending" } }),
    pod("unready", {}, { spec: on("n1"), status: { phase: "Running" } }),
    pod("cheap", cost("-5"), { spec: on("n1"), status: old }),
    pod("doubled", {}, { spec: on("n2"), status: old }),
    pod("fresh", {}, { spec: on("n1"), status: ready("2026-01-01T00:59:00Z") }),
    pod("restarted", {}, { spec: on("n1"), status: restarted }),
    pod("young", { creationTimestamp: "2026-01-01T00:00:00Z" }, { spec: on("n1"), status: old }),
    pod("aged", created, { spec: on("n1"), status: old }),
    pod("dear", cost("7"), { spec: on("n1"), status: old }),
  ];
  // Each stands on its node alone, but for the doubled one.
  const related = Array.from({ length: 20 }, (_, index) => pod(`r${index}`, {}, { spec: on("n2") }));
  fc.assert(
    fc.property(fc.shuffledSubarray(order, { minLength: order.length }), (pods) => {
      assert.deepEqual(names(rankForDeletion(pods, related, NOW)), names(order));
    }),
  );
});

test("CTL-129: a pod is available when it has been ready for minReadySeconds, and not a moment before", () => {
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T01:00:00Z" }];
  const fresh = pod("a", {}, { status: { phase: "Running", conditions } });
  assert.equal(isAvailable(fresh, 0, NOW), true);
  assert.equal(isAvailable(fresh, 10, NOW + 9_999), false);
  assert.equal(isAvailable(fresh, 10, NOW + 10_000), true);
  assert.equal(nextAvailability([fresh], 10, NOW + 4000), 6000);
  assert.equal(nextAvailability([fresh], 10, NOW + 10_000), undefined);
  assert.equal(nextAvailability([fresh], undefined, NOW), undefined);
});

test("CTL-124: creation starts with one, doubles, and ends with the first round that has a failure", async () => {
  const rounds = async (count: number, limit: number): Promise<[number, number, unknown]> => {
    let tried = 0;
    const items = Array.from({ length: count }, (_, index) => index);
    const { done, error } = await slowStart(items, async (item) => {
      tried += 1;
      if (item >= limit) throw new Error("quota");
      return item;
    });
    return [tried, done.length, error instanceof Error ? error.message : error];
  };
  assert.deepEqual(await rounds(500, 0), [1, 0, "quota"]);
  assert.deepEqual(await rounds(500, 5), [7, 5, "quota"]);
  assert.deepEqual(await rounds(500, 500), [500, 500, undefined]);
  assert.deepEqual(await rounds(0, 0), [0, 0, undefined]);
});

test("CTL-124, CTL-127: a pod made from a template has its labels, its owner and a name of the owner's", () => {
  const template = { metadata: { labels: { app: "web" }, name: "ignored" }, spec: { containers: [{ name: "c" }] } };
  const made = podFromTemplate(template, owner(), replicaSets);
  assert.deepEqual(made.metadata, {
    namespace: "shop",
    generateName: "web-",
    labels: { app: "web" },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "web",
        uid: "rs-1",
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  assert.match(generatedName("web-", Math.random), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(generatedName("x".repeat(100), Math.random).length, 63);
});
