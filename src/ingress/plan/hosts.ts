import { sameData } from "../../api/sameData.ts";
import { canariesOf } from "./canaries.ts";
import { addFault, winners, winningRest, type Contribution, type FaultsByIngress } from "./conflicts.ts";
import { byPrecedence } from "./paths.ts";
import type { CanaryPlan, HostPlan, RoutePlan } from "./plan.ts";
import type { DerivedClaim, Reading, RouteClaim } from "./reading.ts";
import { shared } from "./shared.ts";

/** A host as it is now. */
export interface PlannedHost {
  /** Undefined where nobody has it. */
  readonly plan: HostPlan | undefined;
  readonly faults: FaultsByIngress;
}

export interface PlannedDerived extends PlannedHost {
  /** The host that it is derived from; undefined where it is not. */
  readonly of: string | undefined;
}

/** What is known beside what Ingresses say of a host. */
export interface HostContext {
  readonly hasTls: boolean;
  /** What answers where nothing else does. */
  readonly last: RoutePlan | undefined;
  /** Its plan before, whose parts are kept where they are the same. */
  readonly was: HostPlan | undefined;
}

const sameElements = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((part, at) => part === other[at]);

/** The plan of a host with these routes, made of the very parts of the one before that say the same. */
function hostPlan(host: string, routes: readonly RoutePlan[], was: HostPlan | undefined): HostPlan {
  if (was === undefined) return { host, routes };
  if (sameElements(was.routes, routes)) return was;
  const before = new Map(was.routes.map((route) => [route.id, route]));
  const kept = routes.map((route) => (before.get(route.id) === route ? route : shared(before.get(route.id), route)));
  return sameElements(was.routes, kept) ? was : { host, routes: kept };
}

/** By default backends: of the host itself before those of Ingresses with other hosts, for which it is only what is left over. */
function restsOf(host: string, readings: readonly Reading[], contributions: readonly Contribution[]) {
  const own = contributions.flatMap(({ reading, claim: { rest } }) =>
    rest === undefined ? [] : [{ reading, rest, isTold: true }],
  );
  if (host !== "") return own;
  const alone = readings.flatMap((reading) =>
    reading.everything === undefined || reading.hosts.length > 0
      ? []
      : [{ reading, rest: reading.everything, isTold: true }],
  );
  const others = readings.flatMap((reading) =>
    reading.everything === undefined || reading.hosts.length === 0 || reading.hosts.some((one) => one.host === "")
      ? []
      : [{ reading, rest: reading.everything, isTold: false }],
  );
  const named = [...own, ...alone].sort((one, other) => (one.reading.age < other.reading.age ? -1 : 1));
  return [...named, ...others];
}

/**
 * Merges what all Ingresses say of one host (CTL-135).
 *
 * @param readings oldest first
 */
export function planHost(host: string, readings: readonly Reading[], { hasTls, last, was }: HostContext): PlannedHost {
  const faults: FaultsByIngress = new Map();
  const contributions = readings.flatMap((reading): Contribution[] => {
    const claim = reading.hosts.find((one) => one.host === host);
    return claim === undefined ? [] : [{ reading, claim }];
  });
  const mains = contributions.filter(({ reading }) => reading.canary === undefined);
  const won = winners(host, mains, faults);
  const sharing = contributions.filter(({ reading }) => reading.canary !== undefined);
  const canaries: ReadonlyMap<string, readonly CanaryPlan[]> =
    sharing.length === 0 ? new Map() : canariesOf(host, sharing, won, faults);
  const rest = winningRest(
    host,
    restsOf(
      host,
      readings.filter(({ canary }) => canary === undefined),
      mains,
    ),
    faults,
  );
  if (mains.length === 0 && rest === undefined && (host !== "" || last === undefined)) {
    return { plan: undefined, faults };
  }

  const finished = (claim: RouteClaim): RoutePlan => {
    const route = hasTls ? claim.secure : claim.plain;
    const own = canaries.get(claim.key);
    return own === undefined ? route : { ...route, canaries: own };
  };
  const routes = [...won.values()]
    .sort((one, other) => byPrecedence(one.secure.match, other.secure.match))
    .map(finished);
  if (rest !== undefined) routes.push(hasTls ? rest.secure : rest.plain);
  if (last !== undefined) routes.push(last);
  return { plan: hostPlan(host, routes, was), faults };
}

/** A host that nobody has rules for, but somebody means too: as an alias, or to be sent elsewhere. */
export function planDerived(
  host: string,
  readings: readonly Reading[],
  isTaken: boolean,
  of: (host: string) => HostPlan | undefined,
  was: HostPlan | undefined,
): PlannedDerived {
  const faults: FaultsByIngress = new Map();
  let won: { readonly reading: Reading; readonly claim: DerivedClaim } | undefined;
  for (const reading of readings) {
    for (const claim of reading.derived) {
      if (claim.host !== host) continue;
      const { field, redirect } = claim;
      if (!isTaken && won === undefined) {
        won = { reading, claim };
        continue;
      }
      // A host of its own is simply not sent elsewhere.
      const isSame = won !== undefined && sameData([won.claim.of, redirect], [claim.of, won.claim.redirect]);
      if (redirect !== undefined || isSame) continue;
      const who = isTaken ? "is a host with rules of its own" : `is an alias by Ingress ${won?.reading.key} already`;
      addFault(faults, reading.key, {
        field,
        reason: "AliasConflict",
        message: `host ${host} ${who}; it is not served as ${claim.of}`,
      });
    }
  }
  if (won === undefined) return { plan: undefined, faults, of: undefined };
  const { of: origin, redirect } = won.claim;
  const routes = redirect === undefined ? of(origin)?.routes : [redirect];
  return { plan: routes === undefined ? undefined : hostPlan(host, routes, was), faults, of: origin };
}
