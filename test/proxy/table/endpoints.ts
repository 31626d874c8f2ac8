import type { Endpoint, EndpointSlice } from "../../../src/api/generated/types.ts";
import { PODS, PORT, type PodName } from "../lab/network.ts";
import { slices } from "../lab/objects.ts";
import { kept, node, same, type Case, type Group } from "./row.ts";
import { everyWay } from "./ways.ts";

type Change = Partial<Pick<Endpoint, "conditions" | "hints">>;

const ending: Change = { conditions: { ready: false, serving: true, terminating: true } };
const gone: Change = { conditions: { ready: false, serving: false, terminating: true } };
const unready: Change = { conditions: { ready: false, serving: true, terminating: false } };
const forZone = (name: string): Change => ({ hints: { forZones: [{ name }] } });
const forNode = (name: string): Change => ({ hints: { forNodes: [{ name }] } });

/** Slices whose endpoints are changed by pod. */
const changed =
  (changes: { readonly [pod in PodName]?: Change }) =>
  (name: string): EndpointSlice[] =>
    slices(name, Object.keys(changes) as PodName[]).map((slice) => ({
      ...slice,
      endpoints: (slice.endpoints ?? []).map((endpoint) => {
        const pod = (Object.keys(PODS) as PodName[]).find((one) =>
          (Object.values(PODS[one]) as string[]).includes(endpoint.addresses[0]!),
        )!;
        return { ...endpoint, ...changes[pod] };
      }),
    }));

const numbered = (name: string, pod: PodName, port: number): EndpointSlice[] =>
  slices(`${name}-${port}`, [pod], ["tcp", "udp"], name).map((slice) => ({
    ...slice,
    ports: slice.ports!.map((one) => ({ ...one, port })),
  }));

const at = (number: number, made: Pick<Case, "slices" | "pods">, spec: Case["spec"] = {}): Case => {
  const every = everyWay(number);
  return { ...every, spec: { ...every.spec, ...spec }, ...made };
};
const LOCAL = { externalTrafficPolicy: "Local" } as const;

/** Which endpoints count: ending ones, hints, pods in their node's network, ports by name. */
export const ENDPOINTS: Group = {
  title: "which endpoints count",
  zone: "here",
  cases: {
    ending: at(1, { slices: changed({ pod1: ending, pod3: ending, pod2: gone, pod4: unready }) }),
    shadowed: at(2, { slices: changed({ pod1: ending, pod2: {}, pod3: {} }) }),
    localEnding: at(3, { slices: changed({ pod1: ending, pod3: {}, pod4: {} }) }, LOCAL),
    onNode: at(4, { slices: changed({ pod1: forNode("node1"), pod3: forNode("node2") }) }),
    inZone: at(5, { slices: changed({ pod2: forZone("here"), pod3: forZone("there"), pod4: forZone("here") }) }),
    unhinted: at(6, { slices: changed({ pod1: forZone("here"), pod3: forZone("there"), pod4: {} }) }),
    noZone: at(7, { slices: changed({ pod1: forZone("there"), pod3: forZone("there") }) }),
    localHints: at(8, { slices: changed({ pod1: forZone("there"), pod3: forZone("here") }) }, LOCAL),
    hostHere: at(9, { pods: ["host1"] }),
    hostThere: at(10, { pods: ["host2", "pod1"] }),
    named: at(11, { slices: (name) => [...numbered(name, "pod1", PORT), ...numbered(name, "pod2", PORT + 1)] }),
  },
  rows: [
    {
      name: "PRX-020, PRX-022, PRX-023, PRX-154: when none is ready, ending ones that serve stand in",
      service: "ending",
      to: "clusterIP",
      expected: { pod2: kept("pod1", "pod3"), node: node("pod1", "pod3"), client: node("pod1", "pod3") },
    },
    {
      name: "PRX-025: a ready endpoint shadows those that end",
      service: "shadowed",
      to: "nodePort",
      expected: same(node("pod2", "pod3")),
    },
    {
      name: "PRX-021: the Local list falls back to those that end, whatever is ready elsewhere",
      service: "localEnding",
      to: "vip",
      expected: { pod2: kept("pod3", "pod4"), node: node("pod3", "pod4"), client: kept("pod1") },
      unless: { shortCircuits: { pod2: kept("pod1"), node: node("pod1") } },
    },
    {
      name: "PRX-030, PRX-152: hints for nodes lead to this node's",
      service: "onNode",
      to: "clusterIP",
      expected: { pod2: kept("pod1"), node: node("pod1"), client: node("pod1") },
    },
    {
      name: "PRX-031, PRX-033, PRX-152: hints for zones lead to this zone's",
      service: "inZone",
      to: "externalIP",
      expected: same(node("pod2", "pod4")),
    },
    {
      name: "PRX-032: one endpoint without hints, and all count",
      service: "unhinted",
      to: "clusterIP",
      expected: { pod2: kept("pod1", "pod3", "pod4"), client: node("pod1", "pod3", "pod4") },
    },
    {
      name: "PRX-032: a zone that nobody is hinted for has all",
      service: "noZone",
      to: "clusterIP",
      expected: { pod2: kept("pod1", "pod3"), client: node("pod1", "pod3") },
    },
    {
      name: "PRX-028: Local lists ignore hints",
      service: "localHints",
      to: "vip",
      expected: { client: kept("pod1") },
    },
    {
      name: "PRX-272: a pod in this node's network",
      service: "hostHere",
      to: "clusterIP",
      expected: same({ pods: ["host1"], source: "any" }),
    },
    {
      name: "PRX-272: a pod in this node's network, by its node port",
      service: "hostHere",
      to: "nodePort",
      expected: same({ pods: ["host1"], source: "any" }),
    },
    {
      name: "PRX-272, PRX-276: a pod in the network of another node, where no proxy runs",
      service: "hostThere",
      to: "clusterIP",
      expected: { pod2: kept("host2", "pod1"), node: node("host2", "pod1"), client: node("host2", "pod1") },
    },
    {
      name: "PRX-274: a named port that is another number on another pod",
      service: "named",
      to: "clusterIP",
      expected: {
        pod1: kept("pod1", "pod2:8081"),
        node: node("pod1", "pod2:8081"),
        client: node("pod1", "pod2:8081"),
      },
    },
  ],
};
