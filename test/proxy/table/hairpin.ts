import { node, same, type Group } from "./row.ts";
import { everyWay, type To } from "./ways.ts";

const WAYS_BACK: readonly To[] = ["clusterIP", "nodePort", "externalIP", "vip"];

/** A pod that calls its own Service and is chosen itself. */
export const HAIRPIN: Group = {
  title: "a pod reaches itself",
  cases: {
    itself: { ...everyWay(7), pods: ["pod1"] },
    local: { ...everyWay(9), spec: { ...everyWay(9).spec, externalTrafficPolicy: "Local" }, pods: ["pod1"] },
  },
  rows: WAYS_BACK.flatMap((to) => [
    { name: `PRX-063: a pod reaches itself by ${to}`, service: "itself", to, expected: same(node("pod1"), ["pod1"]) },
    {
      name: `PRX-063: a pod reaches itself by ${to}, externalTrafficPolicy Local`,
      service: "local",
      to,
      expected: same(node("pod1"), ["pod1"]),
    },
  ]),
};
