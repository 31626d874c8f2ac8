import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import type { Authorizer } from "./access/authorizer.ts";
import type { Admission } from "./admission/admission.ts";
import type { WatchCache } from "./cache/watch-cache.ts";
import type { Claims } from "./claims/claims.ts";
import type { Consistency } from "./consistency.ts";
import type { KindIndex } from "./route.ts";
import type { Streams } from "./streams.ts";

/** What every verb works with. */
export interface Context {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly consistency: Consistency;
  readonly kinds: KindIndex;
  readonly claims: Claims;
  /** Rules over writes, in the order they are asked. */
  readonly admissions: readonly Admission[];
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** That many random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly log: Log;
  readonly streams: Streams | undefined;
  /** Aborted when the server closes: watches end well. */
  readonly closing: AbortSignal;
}
