import { kept, node, same, type Case, type Group, type Row } from "./row.ts";
import { everyWay, type To } from "./ways.ts";

const ALL = ["pod1", "pod2", "pod3"] as const;
const NEAR = ["pod1", "pod2"] as const;

const one = (number: number, spec: Case["spec"] = {}): Case => {
  const every = everyWay(number);
  return { ...every, spec: { ...every.spec, ...spec }, pods: ALL };
};

const FROM_OUTSIDE: Readonly<Record<string, To>> = {
  "a nodePort": "nodePort",
  "an externalIP": "externalIP",
  "a VIP": "vip",
};
const outside = (row: (what: string, to: To) => Row): Row[] =>
  Object.entries(FROM_OUTSIDE).map(([what, to]) => row(what, to));

/** With externalTrafficPolicy Local outsiders get the Local list as themselves; pods and the node are short-circuited to all. */
const externalLocal = (name: (what: string, to: To) => string, service: string): Row[] =>
  outside((what, to) => ({
    name: name(what, to),
    service,
    to,
    expected: { pod1: kept(...ALL), node: node(...ALL), client: kept(...NEAR) },
    unless: { shortCircuits: { pod1: kept(...NEAR), node: node(...NEAR) } },
  }));

/** The masquerade truth table: who is reached from where by each policy, and as whom. */
export const TRUTH: Group = {
  title: "who is reached, and as whom",
  cases: {
    cluster: one(1),
    external: one(2, { externalTrafficPolicy: "Local" }),
    internal: one(3, { internalTrafficPolicy: "Local" }),
    both: one(8, { externalTrafficPolicy: "Local", internalTrafficPolicy: "Local" }),
  },
  rows: [
    {
      name: "PRX-052, PRX-066, PRX-035, PRX-139, PRX-155: a clusterIP keeps the source of pods only",
      service: "cluster",
      to: "clusterIP",
      expected: { pod1: kept(...ALL), node: node(...ALL), client: node(...ALL) },
    },
    {
      name: "PRX-062: a process of the node that uses its address in the range of pods counts as the node",
      service: "cluster",
      to: "clusterIP",
      expected: { nodeAsPod: node(...ALL) },
    },
    {
      name: "PRX-039, PRX-062: and so at a VIP with externalTrafficPolicy Local",
      service: "external",
      to: "vip",
      expected: { nodeAsPod: node(...ALL) },
      unless: { shortCircuits: { nodeAsPod: node(...NEAR) } },
    },
    ...outside((what, to) => ({
      name: `${to === "nodePort" ? "PRX-053" : "PRX-054"}, PRX-036, PRX-064: ${what} shows the node`,
      service: "cluster",
      to,
      expected: same(node(...ALL), ["pod1", "pod3", "node", "client"]),
    })),
    {
      name: "PRX-055, PRX-037: externalTrafficPolicy Local does not touch the clusterIP",
      service: "external",
      to: "clusterIP",
      expected: { pod1: kept(...ALL), node: node(...ALL), client: node(...ALL) },
    },
    ...externalLocal(
      (what, to) =>
        `${to === "nodePort" ? "PRX-056" : "PRX-057"}, PRX-036, PRX-038, PRX-039: ${what} with externalTrafficPolicy Local`,
      "external",
    ),
    {
      name: "PRX-058, PRX-035: a clusterIP with internalTrafficPolicy Local",
      service: "internal",
      to: "clusterIP",
      expected: { pod1: kept(...NEAR), node: node(...NEAR), client: node(...NEAR) },
    },
    ...outside((what, to) => ({
      name: `PRX-059, PRX-037: internalTrafficPolicy Local does not touch ${what}`,
      service: "internal",
      to,
      expected: same(node(...ALL)),
    })),
    {
      name: "PRX-058: a clusterIP with both policies Local",
      service: "both",
      to: "clusterIP",
      expected: { pod1: kept(...NEAR), node: node(...NEAR), client: node(...NEAR) },
    },
    ...externalLocal(
      (what, to) => `${to === "nodePort" ? "PRX-056" : "PRX-057"}, PRX-037: ${what} with both policies Local`,
      "both",
    ),
  ],
};
