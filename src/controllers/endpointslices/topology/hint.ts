import type { Endpoint } from "../../../api/generated/types.ts";
import type { Allocation } from "./allocate.ts";
import { allocate, moves } from "./allocate.ts";
import type { ZoneShares } from "./zones.ts";

/** The endpoints of one slice of one family, and whether they differ from what the server holds. */
export interface HintedSlice {
  readonly endpoints: readonly Endpoint[];
  readonly changed: boolean;
}

/** Why there are no hints; see `WHY`. */
export type Problem = "nodes" | "zones" | "endpoints" | "zoneless" | "overload";

const isReady = (endpoint: Endpoint): boolean => endpoint.conditions?.ready === true;
const zoneHint = ({ hints }: Endpoint): string | undefined =>
  hints?.forZones?.length === 1 && hints.forNodes === undefined ? hints.forZones[0]!.name : undefined;

function withHint(endpoint: Endpoint, zone: string | undefined): Endpoint {
  if (zone !== undefined && zoneHint(endpoint) === zone) return endpoint;
  const { hints: _before, ...rest } = endpoint;
  return zone === undefined ? rest : { ...rest, hints: { forZones: [{ name: zone }] } };
}

/** The slices with these endpoints, changed when they were before or an endpoint is another now. */
const replaced = <S extends HintedSlice>(slice: S, endpoints: readonly Endpoint[]): S => ({
  ...slice,
  endpoints,
  changed: slice.changed || endpoints.some((endpoint, index) => endpoint !== slice.endpoints[index]),
});

/** CTL-072, CTL-076: no endpoint has a hint. */
const withoutHints = <S extends HintedSlice>(slices: readonly S[]): S[] =>
  slices.map((slice) =>
    slice.endpoints.some(({ hints }) => hints !== undefined)
      ? replaced(
          slice,
          slice.endpoints.map((endpoint) => withHint(endpoint, undefined)),
        )
      : slice,
  );

const countBy = (zones: Iterable<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const zone of zones) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
};

/** Endpoints get their own zone, then those of zones with too many another. `settled` slices keep the hints that they have. */
function assign<S extends HintedSlice>(
  slices: readonly S[],
  allocations: ReadonlyMap<string, Allocation>,
  settled: (slice: S) => boolean,
): { slices: S[]; counts: ReadonlyMap<string, number> } {
  const ready = (slice: S): readonly Endpoint[] => slice.endpoints.filter(isReady);
  const counts = countBy(
    slices.flatMap((slice) => ready(slice).map((one) => (settled(slice) ? zoneHint(one)! : one.zone!))),
  );
  const due = new Map<string, string[]>();
  for (const { from, to } of moves(allocations, counts)) {
    const others = due.get(from);
    if (others === undefined) due.set(from, [to]);
    else others.push(to);
    counts.set(from, counts.get(from)! - 1);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  const hinted = slices.map((slice) => {
    if (settled(slice)) return slice;
    return replaced(
      slice,
      slice.endpoints.map((endpoint) =>
        withHint(endpoint, isReady(endpoint) ? (due.get(endpoint.zone!)?.shift() ?? endpoint.zone) : undefined),
      ),
    );
  });
  // What should have moved but is in a settled slice has stayed.
  for (const [from, others] of due) {
    for (const to of others) {
      counts.set(from, counts.get(from)! + 1);
      counts.set(to, counts.get(to)! - 1);
    }
  }
  return { slices: hinted, counts };
}

/**
 * CTL-071 to CTL-073: hints for the endpoints of one family, so that each zone's machines have their share of endpoints. Slices
 * that are not written anyway keep theirs while no zone falls below its least.
 */
export function hintByShare<S extends HintedSlice>(
  slices: readonly S[],
  shares: ZoneShares,
): { readonly slices: readonly S[]; readonly problem?: Problem } {
  const gone = (problem: Problem): { slices: S[]; problem: Problem } => ({ slices: withoutHints(slices), problem });
  if (typeof shares === "string") return gone(shares);
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter(isReady));
  if (ready.length < shares.size) return gone("endpoints");
  if (ready.some(({ zone }) => zone === undefined || zone === "")) return gone("zoneless");
  const allocations = allocate(shares, ready.length);
  if (allocations === undefined) return gone("overload");
  const isValid = (slice: S): boolean =>
    !slice.changed && slice.endpoints.every((one) => !isReady(one) || allocations.has(zoneHint(one) ?? ""));
  const kept = assign(slices, allocations, isValid);
  const isFair = [...allocations].every(([zone, { least }]) => (kept.counts.get(zone) ?? 0) >= least);
  return { slices: isFair ? kept.slices : assign(slices, allocations, () => false).slices };
}
