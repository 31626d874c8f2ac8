import type { ForwardFigures } from "../forward/figures.ts";
import type { OutsideFigures, UpstreamFigures } from "./outside.ts";

/** What one server block counts of asking outside; `server` and `zones` are as CoreDNS writes them. */
export function forwardFigures(outside: OutsideFigures, server: string, zones: string): ForwardFigures {
  const cache = outside.cache(server, zones);
  const upstreams = new Map<string, UpstreamFigures>();
  const of = (to: string): UpstreamFigures => {
    let found = upstreams.get(to);
    if (found === undefined) upstreams.set(to, (found = outside.upstream(to)));
    return found;
  };
  return {
    answered: (to, rcode, seconds) => of(to).answered(rcode, seconds),
    healthCheckFailed: (to) => void of(to).failedChecks.value++,
    allDown: () => void outside.allBroken.value++,
    connection: (to, protocol, reused) => of(to).connection(protocol, reused),
    rejected: () => void outside.rejected.value++,
    cacheHit(kind) {
      cache.requests.value++;
      cache[kind].hits.value++;
    },
    cacheMiss() {
      cache.requests.value++;
      cache.misses.value++;
    },
    cacheEvicted: (kind) => void cache[kind].evictions.value++,
    cacheEntries: (kind, count) => void (cache[kind].entries.value = count),
    servedStale: () => void cache.stale.value++,
    prefetched: () => void cache.prefetches.value++,
  };
}
