import { kept, node, same, type Group, type Row } from "./row.ts";
import { everyWay, type To } from "./ways.ts";

const FAR = ["pod3", "pod4"] as const;
const EVERY: readonly To[] = ["clusterIP", "nodePort", "externalIP", "vip"];

const empty = (to: To): Row => ({
  name: `PRX-045${to === "nodePort" ? ", PRX-048" : ""}, PRX-141: without endpoints ${to} refuses`,
  service: "empty",
  to,
  expected: same("refused"),
  by: "refusalWithoutEndpoints",
});

/** Nobody to go to, or nobody who may be gone to. */
export const REFUSALS: Group = {
  title: "refusals and silence",
  cases: {
    cluster: { ...everyWay(1), pods: ["pod1"] },
    empty: { ...everyWay(4), pods: [] },
    externalFar: { ...everyWay(5), spec: { ...everyWay(5).spec, externalTrafficPolicy: "Local" }, pods: FAR },
    internalFar: { ...everyWay(6), spec: { ...everyWay(6).spec, internalTrafficPolicy: "Local" }, pods: FAR },
  },
  rows: [
    ...EVERY.map(empty),
    ...EVERY.slice(1).map((to): Row => ({
      name: `PRX-046, PRX-142: externalTrafficPolicy Local without a local endpoint is silence for outsiders (${to})`,
      service: "externalFar",
      to,
      expected: { pod1: kept(...FAR), node: node(...FAR), client: "dropped" },
      unless: { shortCircuits: { pod1: "dropped", node: "dropped" } },
      by: "dropWithoutLocalEndpoints",
    })),
    {
      name: "PRX-047, PRX-142: internalTrafficPolicy Local without a local endpoint is silence",
      service: "internalFar",
      to: "clusterIP",
      expected: same("dropped"),
      by: "dropWithoutLocalEndpoints",
    },
    ...EVERY.slice(1).map((to): Row => ({
      name: `PRX-047: and ${to} works`,
      service: "internalFar",
      to,
      expected: same(node(...FAR)),
    })),
    {
      name: "PRX-071, PRX-073, PRX-143: a wrong port of a clusterIP is refused",
      service: "cluster",
      to: "wrongPort",
      expected: same("refused"),
      by: "refusalOfWrongPorts",
    },
    {
      name: "PRX-072, PRX-073, PRX-144: an unassigned address of the range is silence",
      service: "cluster",
      to: "unassigned",
      expected: same("dropped"),
      by: "dropOfUnassignedAddresses",
    },
  ],
};
