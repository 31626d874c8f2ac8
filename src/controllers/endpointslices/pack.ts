import type { Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { identityOf, sameEndpoint } from "./endpoint.ts";

/** A slice that exists, and the endpoints that it should hold; `changed` when those, or its labels, differ from before. */
export interface Box {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/** What the slices of one family and port set should hold. */
export interface Packing {
  readonly kept: readonly Box[];
  /** Endpoints of slices that do not exist yet. */
  readonly created: readonly Endpoint[][];
  readonly emptied: readonly EndpointSlice[];
  /** How many endpoints were in no slice before, and how many were that are not wanted. */
  readonly added: number;
  readonly removed: number;
}

export interface PackOptions {
  /** CTL-036: endpoints of a slice. */
  readonly most: number;
  /** Whether the slice is written whatever its endpoints are. */
  readonly isTouched: (slice: EndpointSlice) => boolean;
  /** Endpoints keep the hints that they have: whether those are right is looked at when all are packed. */
  readonly keepHints: boolean;
}

/**
 * CTL-046, CTL-047: puts every wanted endpoint into exactly one slice of at most `most`. An endpoint stays where it is; new
 * ones go first to slices that are written anyway, the fullest first; the rest to the untouched slice that it fits best; only
 * then to new slices.
 */
export function pack(wanted: readonly Endpoint[], existing: readonly EndpointSlice[], options: PackOptions): Packing {
  const { most, isTouched, keepHints } = options;
  const open = new Map<string, Endpoint>();
  for (const endpoint of wanted) open.set(identityOf(endpoint), endpoint);
  let removed = 0;

  const boxes = existing.map((slice): Box => {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const held of slice.endpoints ?? []) {
      const identity = identityOf(held);
      const found = open.get(identity);
      // Not wanted, held by an earlier slice already, or more than a slice may hold.
      if (found === undefined || endpoints.length === most) {
        if (found === undefined) removed += 1;
        changed = true;
        continue;
      }
      open.delete(identity);
      const next = keepHints && held.hints !== undefined ? { ...found, hints: held.hints } : found;
      endpoints.push(next);
      if (!sameEndpoint(held, next)) changed = true;
    }
    return { slice, endpoints, changed: changed || (endpoints.length > 0 && isTouched(slice)) };
  });

  const rest = [...open.values()];
  const added = rest.length;
  const put = (box: Box): void => {
    const taken = rest.splice(0, most - box.endpoints.length);
    if (taken.length === 0) return;
    box.endpoints.push(...taken);
    box.changed = true;
  };
  const byFullness = (a: Box, b: Box): number => b.endpoints.length - a.endpoints.length;
  // What was emptied is not filled but goes, or becomes what else is needed.
  const touched = boxes.filter(({ changed, endpoints }) => changed && endpoints.length > 0).sort(byFullness);
  for (const box of touched) put(box);

  const created: Endpoint[][] = [];
  while (rest.length >= most) created.push(rest.splice(0, most));
  if (rest.length > 0) {
    const fitting = boxes
      .filter((box) => !box.changed && box.endpoints.length + rest.length <= most)
      .sort(byFullness)[0];
    if (fitting === undefined) created.push(rest.splice(0));
    else put(fitting);
  }
  return {
    kept: boxes.filter(({ endpoints }) => endpoints.length > 0),
    created,
    emptied: boxes.filter(({ endpoints }) => endpoints.length === 0).map(({ slice }) => slice),
    added,
    removed,
  };
}
