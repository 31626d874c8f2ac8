import type { Service } from "../../../src/api/generated/types.ts";
import type { IPFamily } from "../../../src/net/ip.ts";
import { CLIENT, NODE, PODS, PORT, type Place } from "../lab/network.ts";
import { clusterIP, externalIP, vip } from "../lab/objects.ts";

type Address = { readonly [family in IPFamily]: string };

interface Caller {
  readonly place: Place;
  /** The address that a pod sees when nothing is masqueraded. */
  readonly address: Address;
  /** Whether the caller binds to it; else it is what the kernel chooses. */
  readonly binds: boolean;
}

const nodeOn = (side: "client" | "node2" | "pods"): Address => ({ IPv4: NODE.IPv4[side], IPv6: NODE.IPv6[side] });

/** The number of the Service whose VIP is an address of the node too. */
export const RANGED_NODE = 60;

/** Who calls. `nodeAsPod` is a process of the node that uses its address in the range of pods; `pod3` lives on the other node. */
export const CALLERS = {
  pod1: { place: "pod1", address: PODS.pod1, binds: false },
  pod2: { place: "pod2", address: PODS.pod2, binds: false },
  pod3: { place: "node2", address: PODS.pod3, binds: true },
  node: { place: "node", address: nodeOn("client"), binds: false },
  nodeAsPod: { place: "node", address: nodeOn("pods"), binds: true },
  client: { place: "client", address: CLIENT, binds: true },
  stranger: { place: "client", address: { IPv4: "192.168.8.9", IPv6: "fd00:8::9" }, binds: true },
  /** A process of the node with the load balancer's address of `ranged-node`, see load-balancers.ts. */
  vip: { place: "node", address: { IPv4: vip(RANGED_NODE, "IPv4"), IPv6: vip(RANGED_NODE, "IPv6") }, binds: true },
} as const satisfies Record<string, Caller>;
export type From = keyof typeof CALLERS;

/** What is called, of the Service with a number. */
export const WAYS = {
  clusterIP: (number: number, family: IPFamily) => ({ ip: clusterIP(number, family), port: 80 }),
  nodePort: (number: number, family: IPFamily) => ({ ip: NODE[family].client, port: 30_000 + number }),
  externalIP: (number: number, family: IPFamily) => ({ ip: externalIP(number, family), port: 80 }),
  vip: (number: number, family: IPFamily) => ({ ip: vip(number, family), port: 80 }),
  wrongPort: (number: number, family: IPFamily) => ({ ip: clusterIP(number, family), port: 81 }),
  nodePortOnNode2Side: (number: number, family: IPFamily) => ({ ip: NODE[family].node2, port: 30_000 + number }),
  nodePortOnPodsSide: (number: number, family: IPFamily) => ({ ip: NODE[family].pods, port: 30_000 + number }),
  loopbackNodePort: (number: number, family: IPFamily) => ({
    ip: family === "IPv4" ? "127.0.0.1" : "::1",
    port: 30_000 + number,
  }),
  /** The node's own address and the port of the host's own listener there. */
  ownListener: (_: number, family: IPFamily) => ({ ip: NODE[family].client, port: PORT }),
  unassigned: (_: number, family: IPFamily) => ({ ip: clusterIP(199, family), port: 80 }),
} as const;
export type To = keyof typeof WAYS;

export const nodePorts = (number: number): NonNullable<NonNullable<Service["spec"]>["ports"]> => [
  { name: "tcp", port: 80, protocol: "TCP", nodePort: 30_000 + number },
  { name: "udp", port: 80, protocol: "UDP", nodePort: 30_000 + number },
];

type Made = {
  readonly number: number;
  readonly spec: NonNullable<Service["spec"]>;
  readonly status: NonNullable<Service["status"]>;
};

/** A Service that is called in every way there is. */
export const everyWay = (number: number): Made => ({
  number,
  spec: {
    type: "LoadBalancer",
    ports: nodePorts(number),
    externalIPs: [externalIP(number, "IPv4"), externalIP(number, "IPv6")],
  },
  status: { loadBalancer: { ingress: [{ ip: vip(number, "IPv4") }, { ip: vip(number, "IPv6") }] } },
});
