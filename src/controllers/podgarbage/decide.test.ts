import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod } from "../../api/generated/types.ts";
import { surplusOf, wasteOf } from "./decide.ts";

const podOf = (name: string, more: { node?: string; ending?: boolean; phase?: string; reason?: string } = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    creationTimestamp: `2026-01-01T00:00:0${name}Z`,
    ...(more.ending === true ? { deletionTimestamp: "2026-01-01T00:01:00Z" } : {}),
  },
  spec: { containers: [], ...(more.node === undefined ? {} : { nodeName: more.node }) },
  status: {
    phase: more.phase ?? "Running",
    ...(more.reason === undefined ? {} : { reason: more.reason }),
  },
});

const lost: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "a" },
  spec: { taints: [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }] },
};

test("CTL-117: pods of missing nodes, ending pods without a node, and those of nodes declared lost are waste", () => {
  assert.deepEqual(wasteOf(podOf("1", { node: "a" }), undefined), { reason: "orphaned", node: "a" });
  assert.deepEqual(wasteOf(podOf("1", { ending: true }), undefined), { reason: "unscheduled" });
  assert.equal(wasteOf(podOf("1"), undefined), undefined);
  assert.deepEqual(wasteOf(podOf("1", { node: "a", ending: true }), lost), { reason: "out-of-service" });
  assert.equal(wasteOf(podOf("1", { node: "a" }), lost), undefined);
  const ready = { ...lost, status: { conditions: [{ type: "Ready", status: "True" }] } };
  assert.equal(wasteOf(podOf("1", { node: "a", ending: true }), ready), undefined);
});

test("of pods that ended those beyond the limit go, evicted ones first, then the oldest", () => {
  const pods = [
    podOf("1", { phase: "Succeeded" }),
    podOf("2", { phase: "Failed" }),
    podOf("3", { phase: "Failed", reason: "Evicted" }),
    podOf("4"),
  ];
  const names = (kept: number): (string | undefined)[] => surplusOf(pods, kept).map(({ metadata }) => metadata.name);
  assert.deepEqual(names(3), []);
  assert.deepEqual(names(2), ["3"]);
  assert.deepEqual(names(1), ["3", "1"]);
});
