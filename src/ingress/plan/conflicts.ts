import type { HostClaim, Reading, RouteClaim } from "./reading.ts";
import type { IngressFault } from "./view.ts";

/** Faults of several Ingresses, by `namespace/name`. */
export type FaultsByIngress = Map<string, IngressFault[]>;

export function addFault(faults: FaultsByIngress, ingress: string, fault: IngressFault): void {
  const known = faults.get(ingress);
  if (known === undefined) faults.set(ingress, [fault]);
  else known.push(fault);
}

/** Somebody's claim to a host. */
export interface Contribution {
  readonly reading: Reading;
  readonly claim: HostClaim;
}

const whereOf = (host: string): string => (host === "" ? "any host" : `host ${host}`);

/**
 * Who gets which requests of one host: of several claims for the same ones the oldest Ingress', of one Ingress the first. The losers hear who
 * has them.
 *
 * @param contributions oldest first, without canaries
 */
export function winners(
  host: string,
  contributions: readonly Contribution[],
  faults: FaultsByIngress,
): ReadonlyMap<string, RouteClaim> {
  const won = new Map<string, RouteClaim>();
  for (const { reading, claim } of contributions) {
    for (const route of claim.routes) {
      const other = won.get(route.key);
      if (other === undefined) {
        won.set(route.key, route);
        continue;
      }
      const { namespace, name } = other.secure.ingress;
      const isOwn = `${namespace}/${name}` === reading.key;
      const who = isOwn ? `${other.field} of this Ingress` : `Ingress ${namespace}/${name}, which is older,`;
      addFault(faults, reading.key, {
        field: `${route.field}.path`,
        reason: "PathConflict",
        message: `${who} has path ${route.secure.path} (${route.secure.match.type}) of ${whereOf(host)} already; this one gets no requests`,
      });
    }
  }
  return won;
}

/** Whose default backend gets what is left over of one host; the losers hear who has it. */
export function winningRest(
  host: string,
  rests: readonly { readonly reading: Reading; readonly rest: RouteClaim; readonly isTold: boolean }[],
  faults: FaultsByIngress,
): RouteClaim | undefined {
  const [first, ...others] = rests;
  for (const { reading, rest, isTold } of others) {
    if (!isTold || reading === first?.reading) continue;
    addFault(faults, reading.key, {
      field: rest.field,
      reason: "DefaultBackendConflict",
      message: `Ingress ${first?.reading.key}, which is older, has the default backend of ${whereOf(host)} already; this one gets no requests of it`,
    });
  }
  return first?.rest;
}
