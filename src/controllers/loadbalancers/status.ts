import type { Condition, LoadBalancerIngress, Service, ServiceStatus } from "../../api/generated/types.ts";
import { canonicalIP } from "../../net/ip.ts";
import type { Assignment } from "./decide.ts";

/** The condition that says why an address is pending. */
export const CONDITION = "fairlead.dev/AddressAssigned";

/** Every node answers the address itself (KEP-1860). */
const ingressOf = (ip: string): LoadBalancerIngress => ({ ip, ipMode: "VIP" });

const sameAddresses = (ingress: readonly LoadBalancerIngress[], addresses: readonly string[]): boolean =>
  ingress.length === addresses.length &&
  ingress.every(({ ip, ipMode }, index) => ip && canonicalIP(ip) === addresses[index] && ipMode === "VIP");

/** The status that says so; undefined when it is said already. `now` is RFC 3339. */
export function statusFor(service: Service, assignment: Assignment, now: string): ServiceStatus | undefined {
  const addresses = "pending" in assignment ? [] : assignment.addresses;
  const said = (service.status?.conditions ?? []).find(({ type }) => type === CONDITION);
  const next: Pick<Condition, "status" | "reason" | "message"> =
    "pending" in assignment
      ? { status: "False", ...assignment.pending }
      : { status: "True", reason: "Assigned", message: `answers at ${addresses.join(" and ")}` };
  const saidSo = said?.status === next.status && said.reason === next.reason && said.message === next.message;
  if (saidSo && sameAddresses(service.status?.loadBalancer?.ingress ?? [], addresses)) return undefined;
  const condition: Condition = {
    type: CONDITION,
    ...next,
    observedGeneration: service.metadata.generation,
    lastTransitionTime: said?.status === next.status ? said.lastTransitionTime : now,
  };
  const others = (service.status?.conditions ?? []).filter(({ type }) => type !== CONDITION);
  return {
    loadBalancer: addresses.length === 0 ? {} : { ingress: addresses.map(ingressOf) },
    conditions: [...others, condition],
  };
}

/** The status of a Service that is no load balancer of ours any more; undefined when nothing of ours is in it. */
export function statusWithout(service: Service): ServiceStatus | undefined {
  const { conditions = [], loadBalancer } = service.status ?? {};
  const others = conditions.filter(({ type }) => type !== CONDITION);
  if (others.length === conditions.length && loadBalancer?.ingress === undefined) return undefined;
  return { loadBalancer: {}, conditions: others };
}
