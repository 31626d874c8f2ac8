import type { KubeObject } from "../api/object.ts";
import type { Cache } from "./cached.ts";

/**
 * Seconds since all of these caches were last known to hold everything there is; undefined while one of them has not been listed.
 * In quiet times it goes up to the silence after which a server is asked for a sign of life (`Connection.silence`) and a little
 * more: what is older is cut off from its server, or the server stands still. `now` is in milliseconds since the epoch.
 */
export function ageOf(caches: Iterable<Pick<Cache<KubeObject>, "heardAt">>, now: number): number | undefined {
  let oldest = now;
  for (const { heardAt } of caches) {
    if (heardAt === undefined) return undefined;
    oldest = Math.min(oldest, heardAt);
  }
  return (now - oldest) / 1000;
}
