import type { Contents } from "./contents.ts";
import { NOT_READY } from "./explanations.ts";
import { lookup } from "./lookup.ts";
import { RCODE, type Lookup } from "./record.ts";
import type { Source } from "./source.ts";
import { zoneFor, type Zones } from "./zone.ts";

const NOT_SYNCED: Lookup = {
  answer: { rcode: RCODE.SERVFAIL, authoritative: false, answers: [], authority: [], additional: [] },
  depends: [],
  explanation: { code: NOT_READY, text: "the cluster's Services have not been listed yet" },
};

/** Questions that wait for the first lists, at most: more of them are told at once that nothing is known. */
const MOST_WAITING = 4096;

/**
 * The cluster's names; until everything has been listed once, a failure for each of them, never a false "no such name"
 * (DNS-080). Questions that come before wait until `start` is over, which is when the lists are here or have taken too long.
 */
export function clusterSource(options: {
  readonly zones: Zones;
  readonly contents: Contents;
  isReady(): boolean;
  readonly start?: Promise<void>;
}): Source {
  const { zones, contents, start } = options;
  let waiting = start === undefined ? MOST_WAITING : 0;
  void start?.then(() => (waiting = MOST_WAITING));
  return {
    lookup(labels, type) {
      if (options.isReady()) return lookup(contents, zones, labels, type);
      if (zoneFor(zones, labels) === undefined) return undefined;
      if (start === undefined || waiting >= MOST_WAITING) return NOT_SYNCED;
      waiting += 1;
      return { ...NOT_SYNCED, later: start };
    },
  };
}
