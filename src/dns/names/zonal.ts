import type { Target } from "./endpoints.ts";
import type { Addressed } from "./select.ts";

const ANCHOR = "_zone";
/** `pin` is the zone's endpoints or none, `prefer` falls back to all of them. */
const DIRECTIVES = new Set(["pin", "prefer"]);

/**
 * The endpoints in one topology zone that `ZONE.pin` or `ZONE.prefer` before `_zone.SERVICE` means (DNS-128); undefined where
 * `path`, which is what stands before the Service's label, has not that form. A zone's name may have dots. Every zone's name
 * exists below a headless Service, with or without endpoints, and so do the labels on the way to it.
 */
export function zonalTargets(names: Addressed, path: readonly string[]): Target[] | undefined {
  if (names.kind !== "headless" || path.at(-1) !== ANCHOR) return undefined;
  const directive = path.at(-2);
  if (directive === undefined) return [];
  if (!DIRECTIVES.has(directive)) return undefined;
  const zone = path.slice(0, -2).join(".");
  if (zone === "") return [];
  const found = [...names.endpoints.inZone(zone).values()];
  return found.length === 0 && directive === "prefer" ? [...names.endpoints.byLabel.values()] : found;
}
