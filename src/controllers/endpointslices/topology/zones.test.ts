import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../../api/generated/types.ts";
import { zoneFacts, zoneShares } from "./zones.ts";

const at = (zone: string | undefined, cpu: string, labels: Record<string, string> = {}, ready = true): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: "n",
    labels: { ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }), ...labels },
  },
  status: {
    allocatable: { cpu },
    conditions: [
      { type: "MemoryPressure", status: "False" },
      { type: "Ready", status: ready ? "True" : "False" },
    ],
  },
});
const shares = (...nodes: Node[]) => {
  const found = zoneShares(nodes);
  return typeof found === "string" ? found : Object.fromEntries(found);
};

test("CTL-071: a zone's share is its part of all allocatable processors, whole and in thousandths", () => {
  assert.deepEqual(shares(at("b", "500m"), at("a", "1"), at("a", "500m")), { a: 0.75, b: 0.25 });
});

test("CTL-071: neither control-plane nodes nor such as are not ready count, whatever they lack", () => {
  const nodes = [
    at("a", "1"),
    at("b", "1"),
    at("c", "8", { "node-role.kubernetes.io/control-plane": "" }),
    at(undefined, "0", { "node-role.kubernetes.io/master": "" }),
    at("d", "8", {}, false),
    at(undefined, "0", {}, false),
  ];
  assert.deepEqual(shares(...nodes), { a: 0.5, b: 0.5 });
});

for (const [what, nodes, problem] of [
  ["a node without a zone", [at("a", "1"), at("b", "1"), at(undefined, "1")], "nodes"],
  ["a node with an empty zone", [at("a", "1"), at("b", "1"), at("", "1")], "nodes"],
  ["a node without processors", [at("a", "1"), at("b", "0")], "nodes"],
  ["no node at all", [], "nodes"],
  ["one zone alone", [at("a", "1"), at("a", "1")], "zones"],
] as const) {
  test(`CTL-072: with ${what} there are no shares`, () => assert.equal(shares(...nodes), problem));
}

test("CTL-071: facts of a node differ when its share does, and not else", () => {
  const before = at("a", "1");
  for (const same of [at("a", "1", { other: "label" })]) assert.equal(zoneFacts(same), zoneFacts(before));
  for (const other of [
    at("b", "1"),
    at("a", "2"),
    at("a", "1", {}, false),
    at("a", "1", { "node-role.kubernetes.io/master": "" }),
  ]) {
    assert.notEqual(zoneFacts(other), zoneFacts(before));
  }
});
