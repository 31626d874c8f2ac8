import * as fc from "fast-check";
import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { NODE, type PodName } from "../lab/network.ts";
import { externalIP, service, slices, vip } from "../lab/objects.ts";
import { nodePorts } from "./ways.ts";

/** One thing that happens. A Service comes or changes with its slices, or goes; the node is another; the proxy starts anew. */
export type Change =
  | { readonly what: "service"; readonly objects: readonly [Service, EndpointSlice[]] }
  /** A Service comes or changes, and the proxy is stopped so many milliseconds after it began to write that; then it starts anew. */
  | { readonly what: "stopped"; readonly objects: readonly [Service, EndpointSlice[]]; readonly after: number }
  | { readonly what: "gone"; readonly objects: readonly [Service, EndpointSlice[]] }
  | { readonly what: "node"; readonly node: Partial<NodePlan>; readonly zone: string | undefined }
  | { readonly what: "restart" };

const NUMBERS = [1, 2, 3] as const;
const SHARED = 90;
const FAMILIES = ["IPv4", "IPv6"] as const;

const CONDITIONS = {
  ready: { ready: true, serving: true, terminating: false },
  ending: { ready: false, serving: true, terminating: true },
  unready: { ready: false, serving: false, terminating: false },
} as const;

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const often = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> => some(usual, usual, ...others);

const pods = fc.uniqueArray(
  fc.record({
    pod: some<PodName>("pod1", "pod2", "pod3", "pod4"),
    state: often<keyof typeof CONDITIONS>("ready", "ending", "unready"),
    zone: often<string | undefined>(undefined, "here", "there"),
  }),
  { selector: ({ pod }) => pod, maxLength: 4 },
);

const objects = fc
  .record({
    number: some(...NUMBERS),
    type: some("ClusterIP", "NodePort", "LoadBalancer"),
    externalIPs: fc.subarray([SHARED, 0]),
    externalTrafficPolicy: often("Cluster", "Local"),
    internalTrafficPolicy: often("Cluster", "Local"),
    affinity: often<number | undefined>(undefined, 10, 600),
    ranges: often<string[]>([], ["10.0.0.0/8", "fd00::/16"], ["10.244.0.0/16", "192.168.8.0/30"], ["10.0.0.0/9"]),
    protocols: often(["TCP", "UDP"], ["TCP"], ["UDP"]),
    balance: often<string | undefined>(undefined, "random", "round-robin", "maglev", "source-hash"),
    pods,
  })
  .map(({ number, type, externalIPs, affinity, ranges, protocols, balance, pods: chosen, ...policies }) => {
    const name = `s${number}`;
    const ports = nodePorts(number).filter(({ protocol }) => protocols.includes(protocol!));
    const made = service(name, number, {
      type,
      ...policies,
      ports:
        type === "ClusterIP"
          ? ports.map(({ name: port, ...one }) => ({ name: port, port: one.port, protocol: one.protocol! }))
          : ports,
      externalIPs: externalIPs.flatMap((one) => FAMILIES.map((family) => externalIP(one === 0 ? number : one, family))),
      ...(type === "LoadBalancer" ? { loadBalancerSourceRanges: ranges } : {}),
      ...(affinity === undefined
        ? {}
        : { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: affinity } } }),
    });
    const balanced: Service = {
      ...made,
      metadata: {
        ...made.metadata,
        ...(balance === undefined ? {} : { annotations: { "fairlead.dev/balance": balance } }),
      },
      ...(type === "LoadBalancer"
        ? { status: { loadBalancer: { ingress: FAMILIES.map((family) => ({ ip: vip(number, family) })) } } }
        : {}),
    };
    const listed = slices(
      name,
      chosen.map(({ pod }) => pod),
    ).map((slice) => ({
      ...slice,
      endpoints: (slice.endpoints ?? []).map((endpoint, at) => ({
        ...endpoint,
        conditions: CONDITIONS[chosen[at]!.state],
        ...(chosen[at]!.zone === undefined ? {} : { hints: { forZones: [{ name: chosen[at]!.zone }] } }),
      })),
    }));
    return [balanced, listed] as const;
  });

const node: fc.Arbitrary<Partial<NodePlan>> = fc.record({
  nodePortAddresses: often<NodePlan["nodePortAddresses"]>(
    { IPv4: [NODE.IPv4.client], IPv6: [NODE.IPv6.client] },
    { IPv4: [NODE.IPv4.client, NODE.IPv4.node2], IPv6: [] },
    { IPv4: "all", IPv6: "all" },
  ),
  localDetector: often<NodePlan["localDetector"]>(
    { by: "ranges", ranges: ["10.244.0.0/16", "fd00:244::/48"] },
    { by: "ranges", ranges: ["10.244.0.0/24", "fd00:244::/64"] },
    { by: "ranges", ranges: [] },
    { by: "interface-prefix", prefix: "fl" },
  ),
  serviceRanges: often(["10.96.0.0/16", "fd00:10:96::/112"], ["10.96.0.0/17"], ["10.96.0.0/15", "fd00:10:96::/112"]),
  masqueradeAll: often(false, true),
});

/** What may happen to a proxy. */
export const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: objects.map((one): Change => ({ what: "service", objects: one })) },
    { weight: 2, arbitrary: objects.map((one): Change => ({ what: "gone", objects: one })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(objects, fc.nat(20))
        .map(([one, after]): Change => ({ what: "stopped", objects: one, after })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(node, often<string | undefined>(undefined, "here"))
        .map(([one, zone]): Change => ({ what: "node", node: one, zone })),
    },
    { weight: 2, arbitrary: fc.constant<Change>({ what: "restart" }) },
  ),
  { minLength: 2, maxLength: 6 },
);
