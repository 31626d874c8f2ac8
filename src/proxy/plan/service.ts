import { mergeCidr } from "cidr-tools";
import type { EndpointSlice, Service, ServicePort } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { parseCidr } from "../../net/cidr.ts";
import { canonicalIP, familyOf, type IPFamily } from "../../net/ip.ts";
import { endpointLists, type EndpointLists, type Place } from "./endpoints.ts";
import type { Destination, EndpointAddress, Frontend, Protocol, ServicePlan, ServicePortPlan } from "./plan.ts";

/** What a plan depends on beside the Service and its slices. */
export interface PlanContext extends Place {
  readonly families: readonly IPFamily[];
  /** Whether the Service holds a way in (`frontendKey`, `nodePortKey`) that others may want too: PRX-044. */
  owns(way: string, service: string): boolean;
  /** Whether an endpoint gets no new connections for now because it fails them. */
  isPenalized(target: EndpointAddress, protocol: Protocol): boolean;
}

export const frontendKey = (frontend: Pick<Frontend, "ip" | "port">, protocol: Protocol): string =>
  `${frontend.ip} ${frontend.port} ${protocol}`;
export const nodePortKey = (family: IPFamily, port: number, protocol: Protocol): string =>
  `${family} ${port} ${protocol}`;

export const protocolOf = (port: ServicePort): Protocol => (port.protocol ?? "TCP") as Protocol;

/** PRX-005: whether the proxy has anything to do with it. */
export const isProxied = (service: Service): boolean => {
  const { type, clusterIP } = service.spec ?? {};
  return type !== "ExternalName" && clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None";
};

const addresses = (ips: readonly (string | undefined)[], family: IPFamily): string[] => [
  ...new Set(ips.filter((ip) => ip !== undefined && familyOf(ip) === family).map((ip) => canonicalIP(ip!))),
];

function clusterIPsOf(service: Service): string[] {
  const { clusterIP, clusterIPs } = service.spec ?? {};
  const ips = clusterIPs && clusterIPs.length > 0 ? clusterIPs : [clusterIP];
  return [...addresses(ips, "IPv4"), ...addresses(ips, "IPv6")];
}

/** Everything of one family on which a Service port is called, whoever else wants it too. */
export function frontendsOf(service: Service, port: ServicePort, family: IPFamily): Frontend[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  // PRX-041: a host name, or an address whose proxying is done elsewhere, programs nothing.
  const vips = ingress.filter((one) => one.ip && (one.ipMode ?? "VIP") === "VIP").map((one) => one.ip);
  const ways: Frontend[] = [];
  const seen = new Set<string>();
  for (const [kind, ips] of [
    ["cluster", clusterIPsOf(service)],
    ["loadBalancer", service.spec?.type === "LoadBalancer" ? vips : []],
    ["external", service.spec?.externalIPs ?? []],
  ] as const) {
    for (const ip of addresses(ips, family)) {
      if (seen.has(ip)) continue;
      seen.add(ip);
      ways.push({ ip, port: port.port, kind });
    }
  }
  return ways;
}

/** PRX-088, PRX-089: undefined is no filtering. Merged, because sets of ranges refuse overlaps. */
function sourceRangesOf(service: Service, family: IPFamily): string[] | undefined {
  if (service.spec?.type !== "LoadBalancer") return undefined;
  const ranges: string[] = [];
  for (const text of service.spec.loadBalancerSourceRanges ?? []) {
    try {
      const cidr = parseCidr(text.trim());
      if (cidr.prefix === 0) return undefined;
      if (cidr.family === family) ranges.push(cidr.text);
    } catch {
      // The API server refuses these; what slipped through an older one must not stop the rest.
    }
  }
  return ranges.length === 0 ? undefined : mergeCidr(ranges).toSorted();
}

/** PRX-107. */
const healthCheckNodePortOf = ({ spec }: Service): number | undefined =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && spec.healthCheckNodePort
    ? spec.healthCheckNodePort
    : undefined;

/** PRX-045, PRX-046. */
function destination(
  lists: EndpointLists,
  local: boolean,
  isPenalized: (target: EndpointAddress) => boolean,
): Destination {
  if (lists.cluster.length === 0) return { to: "reject" };
  const targets = local ? lists.local : lists.cluster;
  if (targets.length === 0) return { to: "drop" };
  // Never the last one standing: who fails is still better than nobody.
  const good = targets.filter((target) => !isPenalized(target));
  return { to: "targets", targets: good.length === 0 ? targets : good };
}

function planPort(
  service: Service,
  port: ServicePort,
  family: IPFamily,
  lists: EndpointLists,
  context: PlanContext,
): ServicePortPlan {
  const key = keyOf(service);
  const spec = service.spec!;
  const protocol = protocolOf(port);
  const externalLocal = spec.externalTrafficPolicy === "Local";
  const isPenalized = (target: EndpointAddress): boolean => context.isPenalized(target, protocol);
  const nodePort = port.nodePort || undefined;
  return {
    id: `${key}:${port.name ?? ""}/${protocol}`,
    family,
    protocol,
    frontends: frontendsOf(service, port, family).filter((one) => context.owns(frontendKey(one, protocol), key)),
    nodePort:
      nodePort !== undefined && context.owns(nodePortKey(family, nodePort, protocol), key) ? nodePort : undefined,
    internal: destination(lists, spec.internalTrafficPolicy === "Local", isPenalized),
    external: destination(lists, externalLocal, isPenalized),
    externalLocal,
    cluster: destination(lists, false, isPenalized),
    serving: lists.serving,
    balance: undefined,
    onRemoval: { action: "keep" },
    keepsPort: false,
    affinitySeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : undefined,
    sourceRanges: sourceRangesOf(service, family),
  };
}

/**
 * What one Service means for this node: for each port and family where traffic may go, from whom, by which policy.
 * `slices` are those of the Service's name and namespace. Undefined for a Service without proxying (PRX-005, PRX-277).
 */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  context: PlanContext,
): ServicePlan | undefined {
  if (!isProxied(service)) return undefined;
  const clusterIPs = clusterIPsOf(service);
  // PRX-006, PRX-262: a family counts when the Service has an address of it and the machine carries it.
  const families = context.families.filter((family) => clusterIPs.some((ip) => familyOf(ip) === family));
  const localReady = new Set<string>();
  const ports = families.flatMap((family) =>
    (service.spec?.ports ?? []).map((port) => {
      const lists = endpointLists(slices, port.name ?? "", protocolOf(port), family, context);
      for (const ip of lists.localReady) localReady.add(ip);
      return planPort(service, port, family, lists, context);
    }),
  );
  return {
    key: keyOf(service),
    clusterIPs: clusterIPs.filter((ip) => families.includes(familyOf(ip)!)),
    ports,
    healthCheckNodePort: healthCheckNodePortOf(service),
    localReady: [...localReady].toSorted(),
    complaints: [],
  };
}
