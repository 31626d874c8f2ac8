import type { IngressClass } from "../../api/generated/types.ts";
import { ingressClasses } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { backoff } from "../../client/backoff.ts";
import { createCache } from "../../client/cache.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

export interface WatchingClasses {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** What stands for the classes where they may not be read. */
  readonly instead: IngressClass;
  readonly prune: (object: IngressClass) => void;
  readonly changed: (change: CacheChange<IngressClass>) => void;
}

export interface WatchedClasses {
  values(): Iterable<IngressClass>;
  /** Resolves when they are listed, or are known to be forbidden. */
  readonly synced: Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds after which it is tried again what was forbidden. */
const FORBIDDEN_AGAIN = 60_000;
const BOUNDS = { least: 50, most: 5_000 };

/** The IngressClasses: they are of the whole cluster, and who serves one namespace may have no right to them. */
export function watchClasses(options: WatchingClasses): WatchedClasses {
  const { client, clock, random, instead, prune, changed } = options;
  const log = options.log.child({ resource: ingressClasses.plural });
  const stopping = new AbortController();
  const synced = Promise.withResolvers<void>();
  let cache: Cache<IngressClass> | undefined;
  let isForbidden = false;
  let wake = (): void => {};

  const pause = async (milliseconds: number): Promise<void> => {
    const over = Promise.withResolvers<void>();
    const cancel = clock.after(milliseconds, over.resolve);
    wake = over.resolve;
    await over.promise;
    cancel();
  };
  const watch = async (): Promise<void> => {
    const watched = createCache<IngressClass>({
      client,
      clock,
      random,
      log: options.log,
      resource: ingressClasses,
      prune,
    });
    cache = watched;
    watched.onChange(changed);
    await watched.synced();
    if (isForbidden) changed({ type: "removed", previous: instead });
  };

  const running = (async () => {
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        await client.list(ingressClasses, { limit: 1 }, stopping.signal);
        void watch().then(synced.resolve);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        if (isApiError(error, "Forbidden")) {
          const { name } = instead.metadata;
          if (!isForbidden)
            log.warn({ error: why }, `IngressClasses may not be read; Ingresses of class ${name} are served`);
          isForbidden = true;
          synced.resolve();
          await pause(FORBIDDEN_AGAIN);
        } else {
          failures += 1;
          log.warn({ error: why, failures }, "asking for them failed; trying again");
          await pause(backoff(BOUNDS, failures, random));
        }
      }
    }
  })();

  return {
    values: () => (cache?.hasSynced === true ? cache.values() : isForbidden ? [instead] : []),
    synced: synced.promise,
    async stop() {
      stopping.abort(new Error("the classes are watched no more"));
      wake();
      await running;
      cache?.stop();
    },
  };
}
