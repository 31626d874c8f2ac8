import type { IngressLoadBalancerIngress, Service } from "../../api/generated/types.ts";
import { familyOf } from "../../net/ip.ts";

const entryOf = (address: string): IngressLoadBalancerIngress =>
  familyOf(address) === undefined ? { hostname: address } : { ip: address };

const keyOf = ({ ip, hostname }: IngressLoadBalancerIngress): string => ip ?? hostname ?? "";

/** As a status has them: each once, in order, so that replicas write the same. */
export const entriesOf = (addresses: readonly string[]): IngressLoadBalancerIngress[] =>
  [...new Set(addresses)].sort().map(entryOf);

/** Where a Service can be reached from outside; before its load balancer has an address, or without one, inside. */
export function entriesOfService(service: Service | undefined): IngressLoadBalancerIngress[] {
  const { spec, status } = service ?? {};
  const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  if (spec?.type === "ExternalName") return entriesOf([spec.externalName ?? ""].filter((name) => name !== ""));
  const outside = [...given, ...(spec?.externalIPs ?? [])].filter((address) => address !== "");
  if (outside.length > 0) return entriesOf(outside);
  const inside = spec?.clusterIPs ?? [spec?.clusterIP ?? ""];
  return entriesOf(inside.filter((address) => address !== "" && address !== "None"));
}

export const sameEntries = (
  one: readonly IngressLoadBalancerIngress[],
  other: readonly IngressLoadBalancerIngress[],
): boolean => one.length === other.length && one.every((entry, at) => keyOf(entry) === keyOf(other[at]!));
