import { forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { LoadBalancerIngress, Service, ServiceSpec } from "../../generated/types.ts";
import { checked, checkedIP, optionalOneOf } from "../../meta/check.ts";
import { checkCidr, lenientIP } from "../../meta/ip.ts";
import { checkQualifiedName, checkSubdomain } from "../../meta/names.ts";

const SOURCE_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges";
// The capital letter is upstream's (SVC-082).
const RANGES_FIELD = "spec.LoadBalancerSourceRanges";
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

function validateSourceRanges(service: Service, previous: Service | undefined): Fault[] {
  const misplaced = (field: string): Fault[] =>
    service.spec?.type === "LoadBalancer" ? [] : [forbidden(field, ONLY_LOAD_BALANCER)];
  // Spaces round a range are harmless, and older than the field.
  const ranges = (service.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
  if (ranges.length > 0) {
    const before = (previous?.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    const faults = ranges.flatMap((range, index) =>
      before.includes(range) ? [] : checked(checkCidr, `${RANGES_FIELD}[${index}]`, range),
    );
    return [...misplaced(RANGES_FIELD), ...faults];
  }
  const annotation = service.metadata.annotations?.[SOURCE_RANGES_ANNOTATION];
  if (annotation === undefined) return [];
  const field = `metadata.annotations[${SOURCE_RANGES_ANNOTATION}]`;
  const isOld = annotation === previous?.metadata.annotations?.[SOURCE_RANGES_ANNOTATION];
  const listed = isOld || annotation.trim() === "" ? [] : annotation.split(",").map((range) => range.trim());
  return [...misplaced(field), ...listed.flatMap((range) => checked(checkCidr, field, range))];
}

/** SVC-082 … SVC-086 */
export function validateLoadBalancer(service: Service, previous: Service | undefined): Fault[] {
  const spec = service.spec ?? {};
  const faults = validateSourceRanges(service, previous);
  const balances = spec.type === "LoadBalancer";
  if (!balances && spec.allocateLoadBalancerNodePorts !== undefined) {
    faults.push(forbidden("spec.allocateLoadBalancerNodePorts", ONLY_LOAD_BALANCER));
  }
  if (balances && spec.allocateLoadBalancerNodePorts === undefined) {
    faults.push(required("allocateLoadBalancerNodePorts"));
  }
  return [...faults, ...validateClass(spec)];
}

/** SVC-086 */
export function validateClass({ type, loadBalancerClass }: ServiceSpec): Fault[] {
  if (loadBalancerClass === undefined) return [];
  return type === "LoadBalancer"
    ? checked(checkQualifiedName, "spec.loadBalancerClass", loadBalancerClass)
    : [forbidden("spec.loadBalancerClass", ONLY_LOAD_BALANCER)];
}

function validateEntry(entry: LoadBalancerIngress, field: string, before: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  if (entry.ip) {
    faults.push(...checkedIP(`${field}.ip`, entry.ip, before));
    if (entry.ipMode === undefined) faults.push(required(`${field}.ipMode`, "must be specified when `ip` is set"));
  } else if (entry.ipMode !== undefined) {
    faults.push(forbidden(`${field}.ipMode`, "may not be specified when `ip` is not set"));
  }
  faults.push(...(entry.ip ? optionalOneOf(`${field}.ipMode`, entry.ipMode, ["Proxy", "VIP"]) : []));
  if (entry.hostname) {
    faults.push(...checked(checkSubdomain, `${field}.hostname`, entry.hostname));
    if (lenientIP(entry.hostname) !== undefined) {
      faults.push(invalid(`${field}.hostname`, entry.hostname, "must be a DNS name, not an IP address"));
    }
  }
  return faults;
}

/** SVC-102 … SVC-105 */
export function validateLoadBalancerStatus(service: Service, previous: Service | undefined): Fault[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const field = "status.loadBalancer.ingress";
  if (ingress.length === 0) return [];
  if (service.spec?.type !== "LoadBalancer")
    return [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  const before = (previous?.status?.loadBalancer?.ingress ?? []).map((entry) => entry.ip ?? "");
  return ingress.flatMap((entry, index) => validateEntry(entry, `${field}[${index}]`, before));
}
