import type { Endpoint, EndpointPort, EndpointSlice } from "../../api/generated/types.ts";
import { portsKey } from "../pods/ports.ts";
import type { PackOptions } from "./pack.ts";
import { pack } from "./pack.ts";
import type { Wanted } from "./wanted.ts";

/** One slice that there should be. */
export interface PlannedSlice {
  /** The one to be written over; undefined when a new one is needed. */
  readonly slice: EndpointSlice | undefined;
  readonly ports: EndpointPort[];
  readonly endpoints: readonly Endpoint[];
  /** Whether it differs from what the server holds. */
  readonly changed: boolean;
}

/** All slices of one family. */
export interface FamilyPlan {
  readonly slices: readonly PlannedSlice[];
  readonly surplus: readonly EndpointSlice[];
  readonly added: number;
  readonly removed: number;
}

/** CTL-042, CTL-046 to CTL-048: the slices of one family, made of those that exist as far as they go. */
export function planFamily(
  wanted: ReadonlyMap<string, Wanted>,
  existing: readonly EndpointSlice[],
  options: PackOptions,
): FamilyPlan {
  const slices: PlannedSlice[] = [];
  const missing: { ports: EndpointPort[]; endpoints: Endpoint[] }[] = [];
  const spare = existing.filter(({ ports }) => !wanted.has(portsKey(ports)));
  let added = 0;
  let removed = 0;
  for (const slice of spare) removed += slice.endpoints?.length ?? 0;
  for (const [key, { ports, endpoints }] of wanted) {
    const packing = pack(
      endpoints,
      existing.filter((slice) => portsKey(slice.ports) === key),
      options,
    );
    added += packing.added;
    removed += packing.removed;
    for (const box of packing.kept) slices.push({ ...box, ports });
    for (const next of packing.created) missing.push({ ports, endpoints: next });
    const [placeholder, ...others] = packing.emptied;
    if (endpoints.length > 0) spare.push(...packing.emptied);
    else if (placeholder === undefined) missing.push({ ports, endpoints: [] });
    else {
      // CTL-042: the placeholder is kept as it is when it is one already.
      spare.push(...others);
      const changed = (placeholder.endpoints ?? []).length > 0 || options.isTouched(placeholder);
      slices.push({ slice: placeholder, ports, endpoints: [], changed });
    }
  }
  // CTL-047: a slice that is no longer needed becomes one that is; its address type, which cannot change, fits.
  for (const { ports, endpoints } of missing) slices.push({ slice: spare.shift(), ports, endpoints, changed: true });
  return { slices, surplus: spare, added, removed };
}
