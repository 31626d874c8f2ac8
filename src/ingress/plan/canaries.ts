import { addFault, whereOf, type Contribution, type FaultsByIngress } from "./conflicts.ts";
import type { CanaryPlan, RoutePlan } from "./plan.ts";
import type { RouteClaim } from "./reading.ts";

/** The path as it is written, but for a last slash, where it may be meant either way; undefined for an exact one. */
const textOf = ({ match, path }: RoutePlan): string | undefined =>
  match.type === "exact" ? undefined : path.replace(/\/+$/, "");

/** Keys of routes by their text, the first one's of several. */
function mainsByText(mains: ReadonlyMap<string, RouteClaim>): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [key, { secure }] of mains) {
    const text = textOf(secure);
    if (text !== undefined && !keys.has(text)) keys.set(text, key);
  }
  return keys;
}

/**
 * The canaries of a host's routes, by the key of the route that each belongs to: the one with the same path, of another Ingress that is none.
 * Whether a path is an expression its main Ingress alone need say.
 *
 * @param contributions of canaries, oldest first
 * @param mains the routes that there are, by their keys
 */
export function canariesOf(
  host: string,
  contributions: readonly Contribution[],
  mains: ReadonlyMap<string, RouteClaim>,
  faults: FaultsByIngress,
): ReadonlyMap<string, readonly CanaryPlan[]> {
  const canaries = new Map<string, CanaryPlan[]>();
  let byText: ReadonlyMap<string, string> | undefined;
  for (const { reading, claim } of contributions) {
    for (const { key: own, field, secure } of claim.routes) {
      if (reading.canary === undefined) continue;
      const key = mains.has(own) ? own : (byText ??= mainsByText(mains)).get(textOf(secure) ?? "");
      if (key === undefined) {
        const where = `path ${secure.path} (${secure.match.type}) of ${whereOf(host)}`;
        addFault(faults, reading.key, {
          field: `${field}.path`,
          reason: "CanaryWithoutMain",
          message: `no Ingress but canaries has ${where}, and a canary should have one that it gets a share of; it gets no requests`,
        });
        continue;
      }
      // What was to protect its backend, or whoever asks it, is not in force: it gets no share, as was told.
      if (secure.settings.refused !== undefined) continue;
      const plan: CanaryPlan = { ...reading.canary, ingress: reading.name, backend: secure.backend };
      const known = canaries.get(key);
      if (known === undefined) canaries.set(key, [plan]);
      else known.push(plan);
    }
  }
  return canaries;
}
