import type { HostClaim, Reading, RouteClaim } from "./reading.ts";
import type { IngressFault } from "./view.ts";

/** Faults of several Ingresses, by `namespace/name`. */
export type FaultsByIngress = Map<string, IngressFault[]>;

export function addFault(faults: FaultsByIngress, ingress: string, fault: IngressFault): void {
  const known = faults.get(ingress);
  if (known === undefined) faults.set(ingress, [fault]);
  else known.push(fault);
}

const createdOf = ({ age }: Reading): string => age.slice(0, age.indexOf(" "));

/** Who goes before a reading, for a sentence; `field` where it is the same Ingress. */
export function winnerName(winner: Reading, loser: Reading, field: string): string {
  if (winner === loser) return `${field} of this Ingress`;
  const isOlder = createdOf(winner) < createdOf(loser);
  return `Ingress ${winner.key}, which is ${isOlder ? "older" : "as old and first by its name"},`;
}

/** Somebody's claim to a host. */
export interface Contribution {
  readonly reading: Reading;
  readonly claim: HostClaim;
}

export const whereOf = (host: string): string => (host === "" ? "any host" : `host ${host}`);

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
  const by = new Map<string, Reading>();
  for (const { reading, claim } of contributions) {
    for (const route of claim.routes) {
      const other = won.get(route.key);
      const winner = by.get(route.key);
      if (other === undefined || winner === undefined) {
        won.set(route.key, route);
        by.set(route.key, reading);
        continue;
      }
      const who = winnerName(winner, reading, other.field);
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
    if (!isTold || first === undefined || reading === first.reading) continue;
    addFault(faults, reading.key, {
      field: rest.field,
      reason: "DefaultBackendConflict",
      message: `${winnerName(first.reading, reading, rest.field)} has the default backend of ${whereOf(host)} already; this one gets no requests of it`,
    });
  }
  return first?.rest;
}
