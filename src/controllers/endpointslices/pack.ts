import type { Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { identityOf, sameEndpoint } from "./endpoint.ts";

/** What the slices of one family and port set should hold. Slices are named by the one that exists, or by none. */
export interface Packing {
  /** Slices that stay, with their endpoints; `changed` when those differ from before. */
  readonly kept: readonly { slice: EndpointSlice; endpoints: Endpoint[]; changed: boolean }[];
  /** Endpoints of slices that do not exist yet. */
  readonly created: readonly Endpoint[][];
  readonly emptied: readonly EndpointSlice[];
}

interface Box {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/**
 * CTL-046, CTL-047: puts every wanted endpoint into exactly one slice of at most `most`. An endpoint stays where it is; new
 * ones go first to slices that are written anyway, the fullest first; the rest to the untouched slice that it fits best; only
 * then to new slices.
 */
export function pack(wanted: readonly Endpoint[], existing: readonly EndpointSlice[], most: number): Packing {
  const open = new Map<string, Endpoint>();
  for (const endpoint of wanted) open.set(identityOf(endpoint), endpoint);

  const boxes = existing.map((slice): Box => {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const held of slice.endpoints ?? []) {
      const identity = identityOf(held);
      const next = open.get(identity);
      // Not wanted, held by an earlier slice already, or more than a slice may hold.
      if (next === undefined || endpoints.length === most) {
        changed = true;
        continue;
      }
      open.delete(identity);
      endpoints.push(next);
      if (!sameEndpoint(held, next)) changed = true;
    }
    return { slice, endpoints, changed };
  });

  const rest = [...open.values()];
  const put = (box: Box): void => {
    const taken = rest.splice(0, most - box.endpoints.length);
    if (taken.length === 0) return;
    box.endpoints.push(...taken);
    box.changed = true;
  };
  const byFullness = (a: Box, b: Box): number => b.endpoints.length - a.endpoints.length;
  // A slice that was emptied is better deleted than filled, unless nothing else has room.
  const touched = boxes.filter(({ changed }) => changed).sort(byFullness);
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
  };
}
