import type { EndpointSlice, Service, ServiceSpec } from "../../../src/api/generated/types.ts";
import type { IPFamily } from "../../../src/net/ip.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { NODE, PODS, PORT, type PodName } from "./network.ts";

/** The address plan: clusterIPs end in a number, externalIPs and VIPs in the same. */
export const clusterIP = (number: number, family: IPFamily): string =>
  family === "IPv4" ? `10.96.0.${number}` : `fd00:10:96::${number.toString(16)}`;
export const externalIP = (number: number, family: IPFamily): string =>
  family === "IPv4" ? `203.0.113.${number}` : `2001:db8::${number.toString(16)}`;
/** Addresses that a load balancer has given. */
export const vip = (number: number, family: IPFamily): string =>
  family === "IPv4" ? `198.51.100.${number}` : `2001:db8:1::${number.toString(16)}`;

export const nodePlan = (change: Partial<NodePlan> = {}): NodePlan => ({
  nodeName: "node1",
  families: ["IPv4", "IPv6"],
  nodePortAddresses: { IPv4: [NODE.IPv4.client], IPv6: [NODE.IPv6.client] },
  localhostNodePorts: true,
  serviceRanges: ["10.96.0.0/16", "fd00:10:96::/112"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16", "fd00:244::/48"] },
  nodeAddresses: [...Object.values(NODE.IPv4), ...Object.values(NODE.IPv6)],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
  ...change,
});

/** A dual-stack Service `default/name` with TCP and UDP port 80, whose addresses end in `number`. */
export const service = (name: string, number: number, spec: Partial<ServiceSpec> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name,
    namespace: "default",
    creationTimestamp: `2026-01-01T00:00:${String(number % 60).padStart(2, "0")}Z`,
  },
  spec: {
    clusterIP: clusterIP(number, "IPv4"),
    clusterIPs: [clusterIP(number, "IPv4"), clusterIP(number, "IPv6")],
    ports: [
      { name: "tcp", port: 80, protocol: "TCP" },
      { name: "udp", port: 80, protocol: "UDP" },
    ],
    type: "ClusterIP",
    ...spec,
  },
});

/** Slices whose ready endpoints are `pods`, one a family, of the Service of that name or of another. */
export const slices = (name: string, pods: readonly PodName[], ports = ["tcp", "udp"], owner = name): EndpointSlice[] =>
  (["IPv4", "IPv6"] as const).map((family) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${name}-${family.toLowerCase()}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": owner },
    },
    addressType: family,
    ports: ports.map((port) => ({ name: port, port: PORT, protocol: port.startsWith("udp") ? "UDP" : "TCP" })),
    endpoints: pods.map((pod) => ({
      addresses: [PODS[pod][family]],
      nodeName: PODS[pod].node,
      conditions: { ready: true, serving: true, terminating: false },
    })),
  }));
