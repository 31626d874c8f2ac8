import type { Service, ServiceSpec } from "../generated/types.ts";
import { sameJson } from "../meta/values.ts";
import { isExternallyAccessible, mayHaveNodePorts, needsClusterIP, needsHealthCheckNodePort } from "./needs.ts";

const isLoadBalancer = (service: Service): boolean => service.spec?.type === "LoadBalancer";

/** Fields that mean something only while a Service is of some kind. */
const DEPENDENT: readonly { needed: (service: Service) => boolean; fields: readonly (keyof ServiceSpec)[] }[] = [
  { needed: needsClusterIP, fields: ["ipFamilies", "ipFamilyPolicy"] },
  { needed: needsHealthCheckNodePort, fields: ["healthCheckNodePort"] },
  { needed: isLoadBalancer, fields: ["allocateLoadBalancerNodePorts", "loadBalancerClass"] },
  { needed: isExternallyAccessible, fields: ["externalTrafficPolicy"] },
];

const introducesNodePort = (next: ServiceSpec, previous: ServiceSpec): boolean => {
  const before = new Set(previous.ports?.map((port) => port.nodePort));
  return next.ports?.some((port) => port.nodePort && !before.has(port.nodePort)) === true;
};

/**
 * Clears what a Service needed before and no longer needs (SVC-169 … SVC-175), so that `kubectl patch` of the type alone
 * works. A value that the same request changes is left as written, for validation to refuse.
 */
export function wipeOnTypeChange(next: Service, previous: Service): Service {
  const spec: ServiceSpec = { ...next.spec };
  const was: ServiceSpec = { ...previous.spec };
  const ends = (needed: (service: Service) => boolean): boolean => needed(previous) && !needed(next);

  if (
    ends(needsClusterIP) &&
    spec.clusterIP === was.clusterIP &&
    sameJson(spec.clusterIPs ?? [], was.clusterIPs ?? [])
  ) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  for (const { needed, fields } of DEPENDENT) {
    if (!ends(needed)) continue;
    for (const field of fields) if (sameJson(spec[field], was[field])) delete spec[field];
  }
  if (ends(mayHaveNodePorts) && spec.ports !== undefined && !introducesNodePort(spec, was)) {
    spec.ports = spec.ports.map((port) => {
      const { nodePort: _, ...kept } = port;
      return kept;
    });
  }
  const wiped: Service = { ...next, spec };
  if (!isLoadBalancer(next) && next.status?.loadBalancer?.ingress !== undefined) {
    wiped.status = { ...next.status, loadBalancer: {} };
  }
  return wiped;
}
