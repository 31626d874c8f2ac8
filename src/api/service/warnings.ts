import type { Service } from "../generated/types.ts";
import { cidrWarnings, ipWarnings } from "../meta/warnings.ts";
import { HEADLESS } from "./needs.ts";
import { TOPOLOGY_AWARE_HINTS, TOPOLOGY_MODE } from "./validate.ts";

const list = (values: readonly string[] | undefined, path: string, check: typeof ipWarnings): string[] =>
  (values ?? []).flatMap((value, index) => check(`${path}[${index}]`, value));

/** SVC-215 */
function headlessWarnings({ loadBalancerIP, externalIPs, sessionAffinity }: NonNullable<Service["spec"]>): string[] {
  const ignored = [
    ...(loadBalancerIP ? ["loadBalancerIP"] : []),
    ...(externalIPs?.length ? ["externalIPs"] : []),
    // The capital letter is upstream's.
    ...(sessionAffinity === "None" ? [] : ["SessionAffinity"]),
  ];
  return ignored.map((field) => `spec.${field} is ignored for headless services`);
}

/** What is allowed and yet probably not meant, in upstream's order (SVC-212 … SVC-218); the same on update as on create (SVC-219). */
export function warnings(service: Service): string[] {
  const spec = service.spec ?? {};
  const isAlias = spec.type === "ExternalName";
  const isHeadless = spec.type === "ClusterIP" && spec.clusterIP === HEADLESS;
  const said: string[] = [];
  if (service.metadata.annotations?.[TOPOLOGY_AWARE_HINTS] !== undefined) {
    said.push(`annotation ${TOPOLOGY_AWARE_HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`);
  }
  if (spec.clusterIP !== HEADLESS) said.push(...list(spec.clusterIPs, "spec.clusterIPs", ipWarnings));
  if (isHeadless) said.push(...headlessWarnings(spec));
  said.push(...list(spec.externalIPs, "spec.externalIPs", ipWarnings));
  if (spec.externalIPs?.length && !isHeadless && !isAlias) {
    said.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (spec.loadBalancerIP) said.push(...ipWarnings("spec.loadBalancerIP", spec.loadBalancerIP));
  said.push(...list(spec.loadBalancerSourceRanges, "spec.loadBalancerSourceRanges", cidrWarnings));
  if (spec.externalIPs?.length && isAlias) said.push(`spec.externalIPs is ignored when spec.type is "ExternalName"`);
  if (spec.externalName && !isAlias) said.push(`spec.externalName is ignored when spec.type is not "ExternalName"`);
  if (spec.trafficDistribution === "PreferClose") {
    said.push(`spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"`);
  }
  return said;
}

/** As `warnings`, for a write through `/status` (SVC-219). */
export const statusWarnings = (service: Service): string[] =>
  (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
    ip ? ipWarnings(`status.loadBalancer.ingress[${index}]`, ip) : [],
  );
