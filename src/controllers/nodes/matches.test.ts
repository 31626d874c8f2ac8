import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, NodeSelectorTerm, PodSpec } from "../../api/generated/types.ts";
import { matchesNode } from "./matches.ts";

const node: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "a", labels: { disk: "ssd", cores: "8" } },
};

const specOf = (...nodeSelectorTerms: NodeSelectorTerm[]): PodSpec => ({
  containers: [],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});

const label = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});

const CASES: readonly (readonly [what: string, spec: PodSpec, expected: boolean])[] = [
  ["nothing asked", { containers: [] }, true],
  ["a selector that holds", { containers: [], nodeSelector: { disk: "ssd" } }, true],
  ["a selector that does not", { containers: [], nodeSelector: { disk: "tape" } }, false],
  ["In", specOf(label("disk", "In", "ssd", "nvme")), true],
  ["NotIn of an absent label", specOf(label("gpu", "NotIn", "old")), true],
  ["Exists", specOf(label("gpu", "Exists")), false],
  ["DoesNotExist", specOf(label("gpu", "DoesNotExist")), true],
  ["Gt", specOf(label("cores", "Gt", "7")), true],
  ["Lt", specOf(label("cores", "Lt", "8")), false],
  ["Gt of what is no number", specOf(label("disk", "Gt", "1")), false],
  ["one of two terms", specOf(label("gpu", "Exists"), label("disk", "Exists")), true],
  ["an empty term", specOf({}), false],
  ["no terms", specOf(), false],
  ["its name", specOf({ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }), true],
  ["another's name", specOf({ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }), false],
];
for (const [what, spec, expected] of CASES) {
  test(`a node is ${expected ? "" : "not "}matched by ${what}`, () => assert.equal(matchesNode(spec, node), expected));
}
