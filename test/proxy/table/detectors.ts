import type { LocalDetector, NodePlan } from "../../../src/proxy/plan/plan.ts";
import { kept, node, type Case, type Group, type Row } from "./row.ts";
import { everyWay, type From } from "./ways.ts";

const NEAR = ["pod1", "pod2"] as const;
const ALL = ["pod1", "pod2", "pod3"] as const;

const ways = (number: number, change: Case["spec"] = {}): Case => {
  const every = everyWay(number);
  return { ...every, spec: { ...every.spec, ...change } };
};
const CASES: Group["cases"] = {
  cluster: { ...ways(1), pods: ALL },
  near: { ...ways(2), pods: NEAR },
  external: { ...ways(3, { externalTrafficPolicy: "Local" }), pods: ALL },
};

/** On a set-up on which `pods` are known as pods, and `others` are outsiders. */
const known = (statements: string, by: string, pods: readonly From[], others: readonly From[]): Row[] => [
  {
    name: `${statements}: who is a pod ${by} stays itself at a clusterIP, nobody else`,
    service: "near",
    to: "clusterIP",
    expected: Object.fromEntries([
      ...pods.map((from) => [from, kept(...NEAR)]),
      ...[...others, "node"].map((from) => [from, node(...NEAR)]),
    ]),
  },
  {
    name: `${statements}: who is a pod ${by} reaches all behind externalTrafficPolicy Local, others those that are here`,
    service: "external",
    to: "vip",
    expected: Object.fromEntries([
      ...pods.map((from) => [from, kept(...ALL)]),
      ...others.map((from) => [from, kept(...NEAR)]),
      ["node", node(...ALL)],
    ]),
    unless: {
      shortCircuits: Object.fromEntries([...pods.map((from) => [from, kept(...NEAR)]), ["node", node(...NEAR)]]),
    },
  },
];

const detected = (title: string, localDetector: LocalDetector, rows: readonly Row[]): Group => ({
  title,
  node: { localDetector },
  cases: CASES,
  rows,
});

const without = (families: NonNullable<Row["families"]>): Row[] => [
  {
    name: "PRX-060: without a detector nothing to a clusterIP is masqueraded",
    service: "cluster",
    to: "clusterIP",
    expected: { pod1: kept(...ALL), node: kept(...ALL), client: kept(...ALL) },
    families,
  },
  {
    name: "PRX-060: without a detector a VIP shows the node",
    service: "cluster",
    to: "vip",
    expected: { pod1: node(...ALL), node: node(...ALL), client: node(...ALL) },
    families,
  },
  {
    name: "PRX-040, PRX-060: without a detector pods are outsiders to externalTrafficPolicy Local",
    service: "external",
    to: "vip",
    expected: { pod1: kept(...NEAR), node: node(...ALL), client: kept(...NEAR) },
    unless: { shortCircuits: { node: node(...NEAR) } },
    families,
  },
];

const MASQUERADE_ALL: Partial<NodePlan> = { masqueradeAll: true };

/** How pods are told from others, and what is masqueraded by that. */
export const DETECTORS: readonly Group[] = [
  {
    title: "masqueradeAll",
    node: MASQUERADE_ALL,
    cases: CASES,
    rows: [
      {
        name: "PRX-061: with masqueradeAll a clusterIP shows the node to all",
        service: "cluster",
        to: "clusterIP",
        expected: { pod1: node(...ALL), pod3: node(...ALL), node: node(...ALL), client: node(...ALL) },
      },
      {
        name: "PRX-061: masqueradeAll changes nothing at a VIP with externalTrafficPolicy Local",
        service: "external",
        to: "vip",
        expected: { pod1: kept(...ALL), node: node(...ALL), client: kept(...NEAR) },
        unless: { shortCircuits: { pod1: kept(...NEAR), node: node(...NEAR) } },
      },
    ],
  },
  detected("without a detector", { by: "ranges", ranges: [] }, without(["IPv4", "IPv6"])),
  detected("with a detector for one family", { by: "ranges", ranges: ["10.244.0.0/16"] }, [
    ...without(["IPv6"]),
    ...known("PRX-067", "by the range of its family", ["pod1"], ["client"]).map((row): Row => ({
      ...row,
      families: ["IPv4"],
    })),
  ]),
  detected(
    "pods by the node's own ranges",
    { by: "ranges", ranges: ["10.244.0.0/24", "fd00:244::/64"] },
    known("PRX-068", "by the node's own range", ["pod1"], ["pod3", "client"]),
  ),
  detected(
    "pods by one interface",
    { by: "interface", name: "flpod1" },
    known("PRX-069", "by one interface", ["pod1"], ["pod3", "client"]),
  ),
  detected(
    "pods by the names of interfaces",
    { by: "interface-prefix", prefix: "flpod" },
    known("PRX-069", "by the names of interfaces", ["pod1", "pod2"], ["pod3", "client"]),
  ),
];
