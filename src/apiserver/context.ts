import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Store } from "../store/store.ts";
import type { Authorizer } from "./access/authorizer.ts";
import type { Admission } from "./admission/admission.ts";
import type { InFlight } from "./http/in-flight.ts";
import type { WatchCache } from "./cache/watch-cache.ts";
import type { Claims } from "./claims/claims.ts";
import type { Consistency } from "./consistency.ts";
import type { TokenJudge } from "./identity/token-verdict.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import type { KindIndex } from "./route.ts";
import type { Streams } from "./streams.ts";
import type { Turns } from "./turns.ts";
import type { TokenAuthority } from "./tokens/authority.ts";

/** What every verb works with. */
export interface Context {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly consistency: Consistency;
  readonly kinds: KindIndex;
  readonly claims: Claims;
  /** Rules over writes, in the order they are asked. */
  readonly admissions: readonly Admission[];
  /** Writes that would get in each other's way, by namespace. */
  readonly turns: Turns;
  readonly authorizer: Authorizer;
  /** Requests under way. */
  readonly inFlight: InFlight;
  /** By what tokens of ServiceAccounts are made. */
  readonly tokens: TokenAuthority;
  /** Who a bearer token of any kind speaks for. */
  readonly judgeToken: TokenJudge;
  readonly clock: Clock;
  /** That many random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly requests: RequestMetrics;
  readonly streams: Streams | undefined;
  /** Aborted when the server closes: watches end well. */
  readonly closing: AbortSignal;
}
