import type { Clock } from "../../../observe/clock.ts";
import type { CacheOptions } from "../../configuration/configuration.ts";
import { RCODE } from "../../names/record.ts";
import type { Query } from "../../wire/query.ts";
import { noFigures, type ForwardFigures, type Kept } from "../figures.ts";
import type { Outside, Transport } from "../outside.ts";
import { keyOf, lowered, variantOf, wantsRecursion } from "../question.ts";
import { Unanswered, type Resolver } from "../resolver.ts";
import { failureOf, replyFrom, type Age, type Response } from "../response.ts";
import { endsIn, suffixOf, type Suffix } from "../suffix.ts";
import { keepingOf, kindOf, type Keeping } from "./keep.ts";
import { createStore, type Entry } from "./store.ts";

export interface OutsideCacheOptions {
  readonly resolver: Resolver;
  readonly cache: CacheOptions;
  readonly clock: Clock;
  readonly figures?: ForwardFigures;
}

/** Bytes of answers of each kind, however few they are: one may have 60 kB. */
const MOST_BYTES = 32 << 20;
/** Milliseconds that a client whose answer is over waits for a new one (RFC 8767 §5). */
const STALE_PATIENCE = 1800;
/** Milliseconds after a failure until an answer that is over is asked for anew (RFC 8767 §5). */
const STALE_PAUSE = 30_000;

/** Seconds that nobody having answered is kept as a failure, so that clients who ask again do not make it worse (RFC 9520 §3.2). */
const UNANSWERED = 1;

/** Keeps what a resolver answered, as long as its TTLs allow. */
export function createCache(options: OutsideCacheOptions): Outside {
  const { resolver, cache, clock, figures = noFigures } = options;
  const zones = cache.zones?.map(suffixOf);
  const disabled = {
    success: cache.disable.success.map(suffixOf),
    denial: cache.disable.denial.map(suffixOf),
  };
  const stores = {
    success: createStore(cache.success.capacity, MOST_BYTES, () => figures.cacheEvicted("success")),
    denial: createStore(cache.denial.capacity, MOST_BYTES, () => figures.cacheEvicted("denial")),
  };
  const staleFor = cache.serveStale?.duration ?? 0;
  /** Entries whose renewal failed, and until when they are left alone. */
  const paused = new WeakMap<Entry, number>();

  const isIn = (packet: Buffer, end: number, domains: readonly Suffix[]): boolean =>
    domains.some((domain) => endsIn(packet, end, domain));

  const count = (): void => {
    figures.cacheEntries("success", stores.success.size);
    figures.cacheEntries("denial", stores.denial.size);
  };

  /** The answer there is, if it may still be told; of a failure and an answer that is over, the answer. */
  const find = (key: number, variant: number, packet: Buffer, end: number, now: number): [Entry, Kept] | undefined => {
    const denial = stores.denial.get(key, variant, packet, end);
    if (denial !== undefined && now < denial.expires && !denial.isFailure) return [denial, "denial"];
    const success = stores.success.get(key, variant, packet, end);
    if (success !== undefined && now < success.expires + staleFor) return [success, "success"];
    if (denial === undefined) return undefined;
    const until = denial.isFailure ? denial.expires : denial.expires + staleFor;
    return now < until ? [denial, "denial"] : undefined;
  };

  const keep = (keeping: Keeping, key: number, variant: number, hits: number): void => {
    const { response, kind, lifetime } = keeping;
    const isSuccess = kind === "success";
    const name = response.bytes;
    if (isIn(name, response.end, isSuccess ? disabled.success : disabled.denial)) return;
    const now = clock.now();
    const entry: Entry = {
      key,
      variant,
      response,
      isFailure: kind === "failure",
      stored: now,
      expires: now + lifetime * 1000,
      hits,
      lastHit: now,
      isWanted: false,
      isRefreshing: false,
    };
    (isSuccess ? stores.success : stores.denial).set(entry);
    // What there is now makes the opposite untrue; a failure says nothing of it.
    const opposite = isSuccess ? stores.denial : stores.success;
    const other = opposite.get(key, variant, name, response.end);
    if (other !== undefined && kind !== "failure") opposite.delete(other);
    count();
  };

  /** Asks anew, and keeps the answer; answers it as it is kept. */
  const fetch = async (packet: Buffer, query: Query, transport: Transport, hits = 0): Promise<Response> => {
    const variant = variantOf(packet, query);
    const key = keyOf(query.hash, variant);
    let response: Response;
    try {
      response = await resolver.resolve(packet, query, transport);
    } catch (error) {
      if (error instanceof Unanswered && wantsRecursion(packet)) {
        const keeping = keepingOf(failureOf(packet, query, RCODE.SERVFAIL), cache);
        if (keeping !== undefined)
          keep({ ...keeping, lifetime: Math.min(UNANSWERED, keeping.lifetime) }, key, variant, 0);
      }
      throw error;
    }
    if (!wantsRecursion(packet)) return response;
    const keeping = keepingOf(response, cache);
    if (keeping === undefined) return response;
    keep(keeping, key, variant, hits);
    return keeping.response;
  };

  const isOver = (response: Response): boolean => kindOf(response) === "failure";

  /** Asks anew for what is kept, without anybody waiting. Over TCP, so that nothing is cut. */
  const refresh = (entry: Entry, packet: Buffer, query: Query): Promise<Response> => {
    entry.isRefreshing = true;
    const question = lowered(packet, query.end);
    // The packet of a query that wants recursion; nothing else of it matters.
    question[2] = question[2]! | 0x01;
    const fetched = fetch(question, query, "tcp", entry.hits);
    const settle = (isNew: boolean): void => {
      entry.isRefreshing = false;
      if (!isNew) paused.set(entry, clock.now() + STALE_PAUSE);
    };
    fetched.then(
      (response) => settle(!isOver(response)),
      () => settle(false),
    );
    return fetched;
  };

  const shouldPrefetch = (entry: Entry, now: number): boolean => {
    const { prefetch } = cache;
    if (prefetch === undefined) return false;
    entry.hits = now - entry.lastHit < prefetch.duration ? entry.hits + 1 : 1;
    entry.lastHit = now;
    if (entry.isRefreshing || entry.hits < prefetch.amount || (paused.get(entry) ?? 0) > now) return false;
    const lifetime = entry.expires - entry.stored;
    return entry.expires - now <= (lifetime * prefetch.percentage) / 100;
  };

  const ageOf = (entry: Entry, now: number): Age => (cache.keepTtl ? 0 : Math.floor((now - entry.stored) / 1000));

  const stale = (entry: Entry, packet: Buffer, query: Query, now: number): Buffer | Promise<Buffer> => {
    const told = (): Buffer => {
      figures.servedStale();
      return replyFrom(entry.response, packet, query, "over");
    };
    if (entry.isRefreshing || (paused.get(entry) ?? 0) > now) return told();
    const fetched = refresh(entry, packet, query);
    if (cache.serveStale?.verify !== true) {
      fetched.catch(() => {});
      return told();
    }
    return new Promise((resolve) => {
      const cancel = clock.after(STALE_PATIENCE, () => resolve(told()));
      fetched.then(
        (response) => {
          cancel();
          resolve(isOver(response) ? told() : replyFrom(response, packet, query, 0));
        },
        () => {
          cancel();
          resolve(told());
        },
      );
    });
  };

  const asked = async (packet: Buffer, query: Query, transport: Transport): Promise<Buffer> =>
    replyFrom(await fetch(packet, query, transport), packet, query, 0);

  return {
    resolve(packet, query, transport) {
      if (zones !== undefined && !isIn(packet, query.end, zones)) {
        return resolver.resolve(packet, query, transport).then((response) => replyFrom(response, packet, query, 0));
      }
      const now = clock.now();
      const variant = variantOf(packet, query);
      const found = find(keyOf(query.hash, variant), variant, packet, query.end, now);
      if (found === undefined) {
        figures.cacheMiss();
        return asked(packet, query, transport);
      }
      const [entry, kept] = found;
      figures.cacheHit(kept);
      entry.isWanted = true;
      if (now >= entry.expires) return stale(entry, packet, query, now);
      if (shouldPrefetch(entry, now)) {
        figures.prefetched();
        refresh(entry, packet, query).catch(() => {});
      }
      return replyFrom(entry.response, packet, query, ageOf(entry, now));
    },
    stop: () => resolver.stop(),
  };
}
