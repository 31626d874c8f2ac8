import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";
import { compileEndpoints, type Endpoints, type Target } from "./endpoints.ts";
import { isPublishable } from "./name.ts";
import { protocolOf } from "./ready-slice.ts";

/** What one Service puts into the zone. */
export type ServiceNames =
  | { readonly kind: "cluster"; readonly own: Target; readonly endpoints: Endpoints }
  | { readonly kind: "headless"; readonly endpoints: Endpoints }
  | { readonly kind: "external"; readonly target: string };

/** How Services become names. */
export interface Naming {
  /** Endpoints without a host name are named after their pod (DNS-096). */
  readonly endpointPodNames: boolean;
  /** ClusterIP Services without a ready address have no names (DNS-127). */
  readonly ignoreEmptyServices: boolean;
}

const isEmpty = ({ slices }: Endpoints): boolean => slices.every(({ addresses }) => addresses.length === 0);

/** The names of a Service and of the endpoints in its slices; undefined when it has none to give. */
export function compileService(
  service: Service,
  slices: readonly EndpointSlice[],
  naming: Naming,
): ServiceNames | undefined {
  const { name, namespace } = service.metadata;
  if (!isPublishable(name ?? "") || !isPublishable(namespace ?? "")) return undefined;
  const spec = service.spec ?? {};
  if (spec.type === "ExternalName") {
    const target = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
    // DNS-054: an address is no name.
    return isPublishable(target) && familyOf(target) === undefined ? { kind: "external", target } : undefined;
  }
  const endpoints = compileEndpoints(service, slices, naming.endpointPodNames);
  if (spec.clusterIP === "None") return { kind: "headless", endpoints };
  const written = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ""];
  const addresses = written.filter((ip) => familyOf(ip) !== undefined).map(canonicalIP);
  if (addresses.length === 0 || (naming.ignoreEmptyServices && isEmpty(endpoints))) return undefined;
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? "",
    protocol: protocolOf(port.protocol),
    port: port.port,
  }));
  return { kind: "cluster", own: { label: "", addresses, ports }, endpoints };
}
