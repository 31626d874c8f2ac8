import { belongsTo } from "../../api/endpointSlice/belongs.ts";
import type { Endpoint, EndpointSlice, Service } from "../../api/generated/types.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";
import { dashed, isPublishable } from "./name.ts";

export interface NamedPort {
  /** `""` for a port without a name: it is in no `_port._protocol` name (DNS-034). */
  readonly name: string;
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

/** One name with addresses: a Service's own, or that of one of its endpoints. */
export interface Target {
  /** The label below the Service's name; `""` is the Service's own name. */
  readonly label: string;
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
}

/** What one Service puts into the zone. */
export type ServiceNames =
  | { readonly kind: "cluster"; readonly own: Target; readonly endpoints: ReadonlyMap<string, Target> }
  | { readonly kind: "headless"; readonly endpoints: ReadonlyMap<string, Target> }
  | { readonly kind: "external"; readonly target: string };

const protocolOf = (protocol: string | undefined): string => (protocol ?? "TCP").toLowerCase();

function portsOf(slice: EndpointSlice): NamedPort[] {
  return (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined || port === null ? [] : [{ name: name ?? "", protocol: protocolOf(protocol), port }],
  );
}

const labelOf = (endpoint: Endpoint, ip: string): string => endpoint.hostname?.toLowerCase() || dashed(ip);

/** Endpoints that are ready, by label: those with equal host names share one (DNS-011), each address counts once (DNS-025). */
function endpointsOf(service: Service, slices: readonly EndpointSlice[]): Map<string, Target> {
  const found = new Map<string, { addresses: Set<string>; ports: Map<string, NamedPort> }>();
  for (const slice of slices) {
    // DNS-024: names in FQDN slices are not addresses.
    if ((slice.addressType !== "IPv4" && slice.addressType !== "IPv6") || !belongsTo(slice, service)) continue;
    const ports = portsOf(slice);
    for (const endpoint of slice.endpoints ?? []) {
      // DNS-019: readiness alone decides; nil means ready.
      if (endpoint.conditions?.ready === false) continue;
      for (const address of endpoint.addresses) {
        if (familyOf(address) !== slice.addressType) continue;
        const ip = canonicalIP(address);
        const label = labelOf(endpoint, ip);
        if (!isPublishable(label)) continue;
        const at = found.get(label) ?? { addresses: new Set(), ports: new Map() };
        found.set(label, at);
        at.addresses.add(ip);
        for (const port of ports) at.ports.set(`${port.name}/${port.protocol}/${port.port}`, port);
      }
    }
  }
  return new Map(
    [...found].map(([label, at]) => [label, { label, addresses: [...at.addresses], ports: [...at.ports.values()] }]),
  );
}

/** The names of a Service and of the endpoints in its slices; undefined when it has none to give. */
export function compileService(service: Service, slices: readonly EndpointSlice[]): ServiceNames | undefined {
  const { name, namespace } = service.metadata;
  if (!isPublishable(name ?? "") || !isPublishable(namespace ?? "")) return undefined;
  const spec = service.spec ?? {};
  if (spec.type === "ExternalName") {
    const target = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
    // DNS-054: an address is no name.
    return isPublishable(target) && familyOf(target) === undefined ? { kind: "external", target } : undefined;
  }
  const endpoints = endpointsOf(service, slices);
  if (spec.clusterIP === "None") return { kind: "headless", endpoints };
  const written = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ""];
  const addresses = written.filter((ip) => familyOf(ip) !== undefined).map(canonicalIP);
  if (addresses.length === 0) return undefined;
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? "",
    protocol: protocolOf(port.protocol),
    port: port.port,
  }));
  return { kind: "cluster", own: { label: "", addresses, ports }, endpoints };
}
