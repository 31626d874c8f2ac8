import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod } from "../../api/generated/types.ts";
import { node, pod } from "../../../test/controllers/examples.ts";
import { awaitsNode, chooseNode } from "./choose.ts";

const waiting = (spec: Partial<NonNullable<Pod["spec"]>> = {}): Pod =>
  pod("a", { spec: { nodeName: undefined, ...spec } });
const none = (): number => 0;

test("the node with the fewest pods is chosen, by name among equals", () => {
  const counts: Record<string, number> = { n1: 2, n2: 1, n3: 1 };
  const nodes = ["n3", "n1", "n2"].map((name) => node(name));
  assert.deepEqual(
    chooseNode(waiting(), nodes, (name) => counts[name] ?? 0),
    { node: "n2" },
  );
});

const cordoned: Node = { ...node("n", { disk: "slow" }), spec: { unschedulable: true } };
const tainted: Node = { ...node("n"), spec: { taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] } };
const unready: Node = { ...node("n"), status: { conditions: [{ type: "Ready", status: "Unknown" }] } };
const small: Node = { ...node("n"), status: { ...node("n").status, allocatable: { pods: "3" } } };

for (const [what, nodes, spec, refused] of [
  ["there is no node", [], {}, "no nodes available to schedule pods"],
  ["the node is cordoned", [cordoned], {}, "0/1 nodes are available: 1 node(s) were unschedulable."],
  ["the node is not ready", [unready], {}, "0/1 nodes are available: 1 node(s) were not ready."],
  [
    "no node has the label",
    [node("n")],
    { nodeSelector: { disk: "fast" } },
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  ["a taint is not tolerated", [tainted], {}, "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}."],
  [
    "each node has its reason",
    [tainted, unready, cordoned],
    {},
    "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) were not ready, 1 node(s) were unschedulable.",
  ],
  ["the node is full", [small], {}, "0/1 nodes are available: 1 Too many pods."],
] as const) {
  test(`a pod is refused when ${what}`, () => {
    assert.deepEqual(
      chooseNode(waiting(spec), nodes, () => 3),
      { refused },
    );
  });
}

for (const [what, chosen, spec] of [
  ["it has the label", node("n", { disk: "fast" }), { nodeSelector: { disk: "fast" } }],
  ["the taint is tolerated by value", tainted, { tolerations: [{ key: "gpu", value: "yes" }] }],
  ["all taints are tolerated", tainted, { tolerations: [{ operator: "Exists" }] }],
  [
    "the cordon is tolerated",
    cordoned,
    { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] },
  ],
  ["it has room", small, {}],
] as const) {
  test(`a node is taken when ${what}`, () => {
    assert.deepEqual(chooseNode(waiting(spec as object), [chosen], none), { node: "n" });
  });
}

test("a toleration of another value or effect is none", () => {
  for (const toleration of [
    { key: "gpu", value: "no" },
    { key: "gpu", operator: "Exists", effect: "NoExecute" },
  ]) {
    assert.ok("refused" in chooseNode(waiting({ tolerations: [toleration] }), [tainted], none));
  }
});

test("only pods without a node, that want our scheduler, are neither gated, ended nor ending, are waited for", () => {
  assert.equal(awaitsNode(waiting()), true);
  assert.equal(awaitsNode(pod("a")), false);
  assert.equal(awaitsNode(waiting({ schedulerName: "other" })), false);
  assert.equal(awaitsNode(waiting({ schedulingGates: [{ name: "g" }] })), false);
  assert.equal(awaitsNode(pod("a", { phase: "Failed", spec: { nodeName: undefined } })), false);
  assert.equal(awaitsNode(pod("a", { deleting: true, spec: { nodeName: undefined } })), false);
});
