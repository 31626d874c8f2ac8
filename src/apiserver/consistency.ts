import { ApiError, isApiError } from "../api/status.ts";
import { timestamp, type Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import { Unavailable, type Store } from "../store/store.ts";
import type { WatchCache } from "./cache/watch-cache.ts";
import type { Context } from "./context.ts";
import type { Exchange } from "./http/exchange.ts";

/** Milliseconds between two questions to a store that is away. */
const ASK_AGAIN_MS = 500;

/** Since when the store has not answered, and why. */
export interface Away {
  readonly sinceMs: number;
  readonly why: string;
}

/** Whether the cache is as new as anybody's acknowledged writes. */
export interface Consistency {
  /**
   * Resolves when the cache has every write that was acknowledged, by whatever server, before the call; with the reason when the
   * store is away, so that nobody can know.
   */
  current(): Promise<Away | undefined>;
  close(): void;
}

/** For a store that only this process writes to: what was acknowledged here is in the cache already. */
const alone: Consistency = { current: async () => undefined, close: () => {} };

export interface ConsistencyOptions {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Asks the store for its revision and waits until the cache stands there. Requests that come while it is being asked share the next question:
 * an answer covers only what was acknowledged before its question. While the store is away nobody waits for it; it is asked until it answers.
 */
export function createConsistency(options: ConsistencyOptions): Consistency {
  const { store, cache, clock, log } = options;
  if (!store.shared) return alone;
  let away: Away | undefined;
  let asking: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let cancel = (): void => {};
  let closed = false;

  const ask = async (): Promise<void> => {
    const sinceMs = clock.now();
    try {
      await cache.reached(await store.revision());
      if (away !== undefined) log.info({ since: timestamp(away.sinceMs) }, "the store answers again");
      away = undefined;
    } catch (error) {
      if (closed || !(error instanceof Unavailable || isApiError(error, "Timeout"))) throw error;
      const why = error instanceof Unavailable ? error.message : "its changes do not arrive";
      if (away === undefined) {
        log.warn({ why }, "the store is away; reads are answered from memory, writes are refused");
      }
      away = { sinceMs: away?.sinceMs ?? sinceMs, why };
      cancel = clock.after(ASK_AGAIN_MS, () => void askOnce().catch(() => {}));
    }
  };
  const askOnce = (): Promise<void> => {
    asking = ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  /** The next question, asked once the one under way is answered. */
  const askNext = (): Promise<void> => {
    if (asking === undefined) return askOnce();
    next ??= asking
      .catch(() => {})
      .then(() => {
        next = undefined;
        return away === undefined ? askOnce() : undefined;
      });
    return next;
  };

  return {
    current: async () => {
      if (away === undefined) await askNext();
      return away;
    },
    close: () => {
      closed = true;
      cancel();
    },
  };
}

/**
 * Sees to it that a request stands on all that was acknowledged before it, unless it names a revision of its own. While the store is away
 * reads say how old they are.
 *
 * @throws ApiError ServiceUnavailable for a write while the store is away
 */
export async function standOnLatest(context: Context, exchange: Exchange): Promise<void> {
  const { method, query } = exchange;
  const reads = method === "GET";
  if (reads && (query.get("resourceVersion") || query.get("continue"))) return;
  const away = await context.consistency.current();
  if (away === undefined) return;
  const since = timestamp(away.sinceMs);
  if (reads) {
    const { revision } = context.cache;
    exchange.warnings.add(
      `the store has not answered since ${since}: this is what was known then, at revision ${revision}`,
    );
    return;
  }
  throw new ApiError("ServiceUnavailable", `the store has not answered since ${since}: ${away.why}`, {
    retryAfterSeconds: 1,
  });
}
