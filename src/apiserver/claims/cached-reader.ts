import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import type { ServiceCIDR } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { Store } from "../../store/store.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import { readRanges, storeReader, type ClaimReader, type Ranges } from "./reader.ts";

/**
 * As `storeReader`, with the ranges from memory, parsed once after each change of a ServiceCIDR: every new Service asks for them.
 * Memory may be a moment behind another server's write; the condition of a range finds that out in the transaction.
 */
export function cachedReader(store: Store, cache: WatchCache, families?: readonly IPFamily[]): ClaimReader {
  const stored = storeReader(store, families);
  const serviceCIDRs = cache.of(serviceCIDR);
  let known: { readonly changed: number; readonly ranges: Ranges } | undefined;
  return {
    ...stored,
    async ranges(isFresh) {
      if (isFresh) return stored.ranges(true);
      const { changed } = serviceCIDRs;
      if (known?.changed === changed) return known.ranges;
      const found = [...serviceCIDRs.range(serviceCIDRs.prefix)].map(({ key, revision, object }) => ({
        object: object as ServiceCIDR,
        condition: { key, modRevision: revision },
      }));
      known = { changed, ranges: readRanges(found, families) };
      return known.ranges;
    },
  };
}
