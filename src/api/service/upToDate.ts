import type { Service, ServiceSpec } from "../generated/types.ts";
import { lenientIP } from "../meta/ip.ts";
import { defaults } from "./defaults.ts";
import { HEADLESS, isExternallyAccessible, needsClusterIP } from "./needs.ts";
import { normalizeClusterIPs } from "./normalizeClusterIPs.ts";
import { withoutUnusedPolicy } from "./withoutUnusedPolicy.ts";

const familyOf = (ip: string): string => (lenientIP(ip)?.includes(":") ? "IPv6" : "IPv4");

/** Whether a stored Service has all that one written today has; cheap, because nearly every one does. */
function isUpToDate(service: Service): boolean {
  const spec = service.spec ?? {};
  const isAlias = spec.type === "ExternalName";
  return (
    spec.type !== undefined &&
    spec.sessionAffinity !== undefined &&
    (spec.sessionAffinity === "ClientIP") === (spec.sessionAffinityConfig !== undefined) &&
    (spec.ports ?? []).every(({ protocol, targetPort }) => protocol && targetPort) &&
    isAlias === (spec.internalTrafficPolicy === undefined) &&
    (isAlias || (!!spec.ipFamilies?.length && !!spec.clusterIPs?.length)) &&
    (!isExternallyAccessible(service) || !!spec.externalTrafficPolicy) &&
    (spec.type !== "LoadBalancer" || spec.allocateLoadBalancerNodePorts !== undefined)
  );
}

/** Families for a Service from before there were two (SVC-044). */
function withFamilies(service: Service, primary: string): Service {
  const spec: ServiceSpec = { ...service.spec };
  if (!needsClusterIP(service) || spec.ipFamilies?.length) return service;
  if (spec.clusterIP !== HEADLESS) spec.ipFamilies = (spec.clusterIPs ?? []).map(familyOf);
  // Nobody knows of what families the endpoints are that others write for it: it takes both.
  else if (Object.keys(spec.selector ?? {}).length === 0) {
    spec.ipFamilies = [primary, primary === "IPv4" ? "IPv6" : "IPv4"];
  } else spec.ipFamilies = [primary];
  spec.ipFamilyPolicy = spec.ipFamilies.length === 1 ? "SingleStack" : "RequireDualStack";
  return { ...service, spec };
}

/**
 * A stored Service as it is read: what an older server did not write is filled in, and what it wrote for an alias and is never
 * shown is taken away (SVC-039, SVC-043, SVC-044). The same object when there is nothing to do.
 */
export function upToDate(service: Service, primary: string): Service {
  if (isUpToDate(service)) return service;
  return withoutUnusedPolicy(withFamilies(normalizeClusterIPs(defaults(service), undefined), primary));
}
