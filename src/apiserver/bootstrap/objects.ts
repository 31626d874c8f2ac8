import type { Endpoints, EndpointSlice, Namespace, Service, ServiceCIDR } from "../../api/generated/types.ts";
import { familyOf } from "../../net/ip.ts";
import { DEFAULT_SERVICE_CIDR } from "../claims/reader.ts";

/** Where clients within the cluster reach the API server: an address of the node. */
export interface Advertised {
  readonly ip: string;
  readonly port: number;
  /** The Service of the API server answers on this port of every node too (`--kubernetes-service-node-port`, SVC-280). */
  readonly nodePort?: number;
}

/** Namespaces that are always there. */
export const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
/** Service, Endpoints and EndpointSlice of the API server share this name, in `default`. */
export const KUBERNETES = "kubernetes";

export const namespaceObject = (name: string): Namespace => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name },
});

/** SVC-271. Its Ready condition is its status, which is written apart. */
export const serviceCIDRObject = (cidrs: readonly string[]): ServiceCIDR => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "ServiceCIDR",
  metadata: { name: DEFAULT_SERVICE_CIDR },
  spec: { cidrs: [...cidrs] },
});

/** SVC-272: set only where the condition is missing or unknown; a False stays. */
export function withReady(object: ServiceCIDR, now: string): ServiceCIDR {
  const conditions = object.status?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready !== undefined && ready.status !== "Unknown") return object;
  return {
    ...object,
    status: {
      ...object.status,
      conditions: [
        ...conditions.filter(({ type }) => type !== "Ready"),
        {
          type: "Ready",
          status: "True",
          lastTransitionTime: now,
          reason: "",
          message: "Kubernetes default Service CIDR is ready",
        },
      ],
    },
  };
}

const HTTPS_PORT = 443;

/** SVC-280. */
export const serviceObject = (clusterIP: string, { port, nodePort }: Advertised): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: KUBERNETES,
    namespace: "default",
    labels: { component: "apiserver", provider: "kubernetes" },
  },
  spec: {
    type: nodePort === undefined ? "ClusterIP" : "NodePort",
    sessionAffinity: "None",
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: [familyOf(clusterIP) ?? "IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [{ name: "https", port: HTTPS_PORT, protocol: "TCP", targetPort: port, ...(nodePort && { nodePort }) }],
  },
});

/** SVC-282: with the label that keeps it from being mirrored, since its EndpointSlice is written here too. */
export const endpointsObject = (ips: readonly string[], port: number): Endpoints => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: {
    name: KUBERNETES,
    namespace: "default",
    labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
  },
  ...(ips.length === 0
    ? {}
    : { subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: "https", port, protocol: "TCP" }] }] }),
});

/** The EndpointSlice that says what the Endpoints say (SVC-283): of IPv4, unless all addresses are IPv6. */
export function sliceObject({ subsets }: Endpoints): EndpointSlice {
  const { addresses = [], ports } = subsets?.[0] ?? {};
  const isIPv6 = addresses.length > 0 && addresses.every(({ ip }) => familyOf(ip) === "IPv6");
  const addressType = isIPv6 ? "IPv6" : "IPv4";
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: KUBERNETES,
      namespace: "default",
      labels: { "kubernetes.io/service-name": KUBERNETES },
    },
    addressType,
    endpoints: addresses
      .filter(({ ip }) => familyOf(ip) === addressType)
      .map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } })),
    ...(ports === undefined ? {} : { ports: ports.map(({ name, port, protocol }) => ({ name, port, protocol })) }),
  };
}
