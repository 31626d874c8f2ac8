import { NOT_READY } from "./explanations.ts";
import { isOurs, lookup } from "./lookup.ts";
import type { Contents } from "./contents.ts";
import { RCODE, type Lookup } from "./record.ts";
import type { Source } from "./source.ts";
import type { Zone } from "./zone.ts";

const NOT_SYNCED: Lookup = {
  answer: { rcode: RCODE.SERVFAIL, authoritative: false, answers: [], authority: [], additional: [] },
  depends: [],
  explanation: { code: NOT_READY, text: "the cluster's Services have not been listed yet" },
};

/** The cluster's names; until everything has been listed once, a failure for each of them, never a false "no such name" (DNS-080). */
export const clusterSource = (options: {
  readonly zone: Zone;
  readonly contents: Contents;
  isReady(): boolean;
}): Source => ({
  plugin: "kubernetes",
  lookup(labels, type) {
    const { zone, contents } = options;
    return !options.isReady() && isOurs(zone, labels) ? NOT_SYNCED : lookup(contents, zone, labels, type);
  },
});
