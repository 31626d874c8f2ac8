import { addFault, whereOf, type Contribution, type FaultsByIngress } from "./conflicts.ts";
import type { CanaryPlan } from "./plan.ts";

/**
 * The canaries of a host's routes, by the key of the route that each belongs to: the one with the same path, of another Ingress that is none.
 *
 * @param contributions of canaries, oldest first
 * @param mains keys of the routes that there are
 */
export function canariesOf(
  host: string,
  contributions: readonly Contribution[],
  mains: ReadonlySet<string>,
  faults: FaultsByIngress,
): ReadonlyMap<string, readonly CanaryPlan[]> {
  const canaries = new Map<string, CanaryPlan[]>();
  for (const { reading, claim } of contributions) {
    for (const { key, field, secure } of claim.routes) {
      if (reading.canary === undefined) continue;
      if (!mains.has(key)) {
        const where = `path ${secure.path} (${secure.match.type}) of ${whereOf(host)}`;
        addFault(faults, reading.key, {
          field: `${field}.path`,
          reason: "CanaryWithoutMain",
          message: `no Ingress but canaries has ${where}, and a canary should have one that it gets a share of; it gets no requests`,
        });
        continue;
      }
      const plan: CanaryPlan = { ...reading.canary, ingress: reading.name, backend: secure.backend };
      const known = canaries.get(key);
      if (known === undefined) canaries.set(key, [plan]);
      else known.push(plan);
    }
  }
  return canaries;
}
