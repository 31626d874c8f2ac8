import { invalid, type Fault } from "../../api/fault.ts";
import type { Service, ServiceSpec } from "../../api/generated/types.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import { HEADLESS } from "../../api/service/needs.ts";
import { validateClusterIPs } from "../../api/service/validate/clusterIPs.ts";
import { invalidObject } from "../../api/status.ts";
import type { IPFamily } from "../../net/ip.ts";

const otherFamily = (family: string): IPFamily => (family === "IPv4" ? "IPv6" : "IPv4");
const sameList = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index]);

const POLICY = "spec.ipFamilyPolicy";

/** Refuses by itself, before anything is claimed (SVC-108). */
function refuse(service: Service, faults: readonly Fault[]): void {
  if (faults.length > 0) throw invalidObject("", "Service", service.metadata.name ?? "", faults);
}

/** A PreferDualStack Service that an update leaves alone does not follow the cluster to or from two families (SVC-142). */
function isUntouched({ spec: next }: Service, previous: Service | undefined): boolean {
  const was = previous?.spec;
  return (
    was !== undefined &&
    next?.ipFamilyPolicy === "PreferDualStack" &&
    (was.ipFamilyPolicy ?? "PreferDualStack") === "PreferDualStack" &&
    next.type === was.type &&
    sameList(next.clusterIPs, was.clusterIPs) &&
    sameList(next.ipFamilies, was.ipFamilies)
  );
}

/** What a smaller policy cuts off, and what a smaller list may not (SVC-140, SVC-141). */
function shrink(spec: ServiceSpec, was: ServiceSpec): Fault[] {
  if (spec.ipFamilyPolicy === "SingleStack") {
    if (sameList(spec.clusterIPs, was.clusterIPs) && spec.clusterIPs) spec.clusterIPs = spec.clusterIPs.slice(0, 1);
    if (sameList(spec.ipFamilies, was.ipFamilies) && spec.ipFamilies) spec.ipFamilies = spec.ipFamilies.slice(0, 1);
    return [];
  }
  const isReduced = (list: readonly string[] = [], before: readonly string[] = []): boolean =>
    list.length > 0 && list.length < before.length;
  return [
    ...(isReduced(spec.clusterIPs, was.clusterIPs)
      ? [invalid(POLICY, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP")]
      : []),
    ...(isReduced(spec.ipFamilies, was.ipFamilies)
      ? [invalid(POLICY, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family")]
      : []),
  ];
}

/** Families that follow from the addresses given (SVC-132). */
function infer(spec: ServiceSpec, configured: readonly IPFamily[]): Fault[] {
  const faults: Fault[] = [];
  const families = [...(spec.ipFamilies ?? [])];
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === HEADLESS) break;
    if (index < families.length) continue;
    const family: IPFamily = lenientIP(ip)?.includes(":") ? "IPv6" : "IPv4";
    if (configured.includes(family)) families.push(family);
    else
      faults.push(invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
  }
  spec.ipFamilies = families;
  return faults;
}

function checkCluster(spec: ServiceSpec, configured: readonly IPFamily[]): Fault[] {
  const faults: Fault[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && configured.length < 2) {
    faults.push(invalid(POLICY, spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!configured.includes(family as IPFamily)) {
      faults.push(invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
    }
  }
  return faults;
}

function checkSingle(spec: ServiceSpec): Fault[] {
  if (spec.ipFamilyPolicy !== "SingleStack") return [];
  const several = (what: string) =>
    invalid(
      POLICY,
      spec.ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} specified`,
    );
  return [
    ...(spec.clusterIPs?.length === 2 ? [several("cluster IPs are")] : []),
    ...(spec.ipFamilies?.length === 2 ? [several("IP families are")] : []),
  ];
}

/**
 * Which families a Service has, in order, and by which policy: from what was written, what was there before, and the families
 * of the cluster (SVC-129 … SVC-144). `next` must be backfilled and normalised already.
 *
 * @throws ApiError Invalid, telling only of cluster IPs and families (SVC-108)
 */
export function planFamilies(next: Service, previous: Service | undefined, configured: readonly IPFamily[]): Service {
  if (next.spec?.type === "ExternalName" || isUntouched(next, previous)) return next;
  const spec: ServiceSpec = { ...next.spec };
  const planned: Service = { ...next, spec };
  const isOnItsOwn = spec.clusterIP === HEADLESS && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= previous?.spec?.ipFamilyPolicy ?? (isOnItsOwn ? "RequireDualStack" : "SingleStack");
  refuse(next, validateClusterIPs(planned, previous));
  const reduced = previous?.spec === undefined ? [] : shrink(spec, previous.spec);
  refuse(next, [...reduced, ...checkSingle(spec), ...infer(spec, configured)]);
  // Whoever writes the endpoints of such a Service may use any family, whatever the cluster has (SVC-135).
  if (!isOnItsOwn) refuse(next, checkCluster(spec, configured));

  const families = spec.ipFamilies?.length ? [...spec.ipFamilies] : [configured[0] ?? "IPv4"];
  const wantsBoth = spec.ipFamilyPolicy !== "SingleStack" && families.length === 1;
  if (wantsBoth && (isOnItsOwn || configured.length > 1)) families.push(otherFamily(families[0]!));
  spec.ipFamilies = families;
  return planned;
}
