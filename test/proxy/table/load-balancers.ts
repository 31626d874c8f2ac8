import { ipBatch } from "../../../src/host/ip.ts";
import { vip } from "../lab/objects.ts";
import { kept, node, same, type Case, type Group } from "./row.ts";
import { everyWay, nodePorts, RANGED_NODE, type From } from "./ways.ts";

const CLIENT_ONLY = ["192.168.8.2/32", "fd00:8::2/128"];
const INSIDERS: readonly From[] = ["pod1", "node", "client"];

const balanced = (number: number, loadBalancerSourceRanges: string[], spec: Case["spec"] = {}): Case => {
  const every = everyWay(number);
  return { ...every, spec: { ...every.spec, loadBalancerSourceRanges, ...spec }, pods: ["pod1", "pod2"] };
};

/** Addresses of load balancers, and who may call them. */
export const LOAD_BALANCERS: Group = {
  title: "load balancers and source ranges",
  async prepare(network) {
    const lines = (["IPv4", "IPv6"] as const).map((family) => `addr replace ${vip(RANGED_NODE, family)} dev lo`);
    await ipBatch(network.at("node"), lines);
  },
  cases: {
    ranged: balanced(30, CLIENT_ONLY),
    rangedLocal: balanced(31, CLIENT_ONLY, { externalTrafficPolicy: "Local" }),
    rangedPods: balanced(32, ["10.244.0.0/16", "fd00:244::/48", " 192.168.8.0/30 ", "fd00:8::2/128"]),
    zero: balanced(33, ["10.0.0.0/8", "0.0.0.0/0", "fd00:9::/64", "::/0"]),
    oneFamily: balanced(34, ["192.168.8.2/32"]),
    rangedEmpty: { ...balanced(35, CLIENT_ONLY), pods: [] },
    // No node ports.
    plain: {
      number: 36,
      spec: {
        type: "LoadBalancer",
        allocateLoadBalancerNodePorts: false,
        ports: nodePorts(36).map(({ name, port, protocol }) => ({ name, port, protocol })),
      },
      status: everyWay(36).status,
      pods: ["pod1"],
    },
    elsewhere: {
      ...balanced(37, []),
      status: { loadBalancer: { ingress: [{ ip: vip(37, "IPv4"), ipMode: "Proxy" }] } },
    },
    rangedNode: balanced(RANGED_NODE, ["192.168.8.1/32", "fd00:8::1/128"]),
  },
  rows: [
    {
      name: "PRX-088, PRX-090, PRX-153: who is not in the ranges hears nothing, pods and the node included",
      service: "ranged",
      to: "vip",
      expected: { client: node("pod1", "pod2"), stranger: "dropped", pod1: "dropped", node: "dropped" },
      by: "dropOutsideSourceRanges",
    },
    {
      name: "PRX-088: ranges do not hold for the externalIP",
      service: "ranged",
      to: "externalIP",
      expected: same(node("pod1", "pod2"), [...INSIDERS, "stranger"]),
    },
    {
      name: "PRX-085: ranges do not hold for node ports",
      service: "ranged",
      to: "nodePort",
      expected: same(node("pod1", "pod2"), [...INSIDERS, "stranger"]),
    },
    {
      name: "PRX-088: ranges do not hold for the clusterIP",
      service: "ranged",
      to: "clusterIP",
      expected: same(node("pod1", "pod2"), ["node", "client", "stranger"]),
    },
    {
      name: "PRX-090: ranges and externalTrafficPolicy Local",
      service: "rangedLocal",
      to: "vip",
      expected: { client: kept("pod1", "pod2"), stranger: "dropped", pod1: "dropped", node: "dropped" },
      by: "dropOutsideSourceRanges",
    },
    {
      name: "PRX-088, PRX-090: ranges with pods in them, one with spaces round it",
      service: "rangedPods",
      to: "vip",
      expected: { pod1: node("pod1", "pod2"), client: node("pod1", "pod2"), stranger: "dropped" },
      by: "dropOutsideSourceRanges",
    },
    {
      name: "PRX-088: a range of everybody is no filter",
      service: "zero",
      to: "vip",
      expected: same(node("pod1", "pod2"), [...INSIDERS, "stranger"]),
    },
    {
      name: "PRX-089: ranges of one family filter that one",
      service: "oneFamily",
      to: "vip",
      expected: { client: node("pod1", "pod2"), stranger: "dropped" },
      by: "dropOutsideSourceRanges",
      families: ["IPv4"],
    },
    {
      name: "PRX-089: and not the other",
      service: "oneFamily",
      to: "vip",
      expected: same(node("pod1", "pod2"), [...INSIDERS, "stranger"]),
      families: ["IPv6"],
    },
    {
      name: "PRX-092: ranges hold without endpoints too",
      service: "rangedEmpty",
      to: "vip",
      expected: { stranger: "dropped" },
      by: "dropOutsideSourceRanges",
    },
    {
      name: "PRX-045: who is in the ranges is refused when there are no endpoints",
      service: "rangedEmpty",
      to: "vip",
      expected: { client: "refused" },
      by: "refusalWithoutEndpoints",
    },
    {
      name: "PRX-091: with the node in the ranges its VIP is a source too",
      service: "rangedNode",
      to: "vip",
      expected: { vip: node("pod1", "pod2"), stranger: "dropped" },
      by: "dropOutsideSourceRanges",
    },
    {
      name: "PRX-086: a VIP without node ports works",
      service: "plain",
      to: "vip",
      expected: same(node("pod1"), INSIDERS),
    },
    {
      name: "PRX-086: and there is no node port",
      service: "plain",
      to: "nodePort",
      expected: same("refused", INSIDERS),
    },
    {
      name: "PRX-041: an address with ipMode Proxy is not carried",
      service: "elsewhere",
      to: "vip",
      expected: same("unanswered", ["pod1", "node", "client"]),
      families: ["IPv4"],
    },
  ],
};
