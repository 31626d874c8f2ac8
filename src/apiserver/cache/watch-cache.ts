import type { Kind } from "../../api/kind.ts";
import { ApiError } from "../../api/status.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Compacted, type Store, type StoreEvent, type Watch } from "../../store/store.ts";
import { itemOf, type Item } from "./item.ts";
import { ResourceCache } from "./resource-cache.ts";

const ROOT = "/registry/";
const PAGE = 5000;
/** Revisions before the newest one that a start goes back to. */
const REPLAYED = 2048;
/** How long a reader waits for a revision that is not there yet, as upstream does. */
const PATIENCE_MS = 3000;
const RETRY_MS = 200;

/** `/registry/GROUP/PLURAL/`, the part of a key that names its resource. */
const resourcePrefix = (key: string): string => {
  const group = key.indexOf("/", ROOT.length);
  return key.slice(0, key.indexOf("/", group + 1) + 1);
};

interface Waiter {
  readonly revision: number;
  readonly done: () => void;
}

export interface WatchCacheOptions {
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly log: Log;
  /** Changes remembered for each resource. */
  readonly remembered?: number;
}

/**
 * Every object in memory, fed by one watch of the store. All resources stand at the same revision. When the watch breaks, all
 * is read again and open API watches end, so that their clients list anew.
 */
export class WatchCache {
  readonly #options: WatchCacheOptions;
  readonly #resources = new Map<string, ResourceCache>();
  #waiters: Waiter[] = [];
  #revision = 0;
  #watch: Watch | undefined;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: WatchCacheOptions) {
    this.#options = options;
    for (const kind of options.kinds) {
      const resource = new ResourceCache(kind, options.remembered);
      this.#resources.set(resource.prefix, resource);
    }
  }

  /** Newest revision taken in. */
  get revision(): number {
    return this.#revision;
  }

  of(kind: Kind): ResourceCache {
    const group = kind.group === "" ? "core" : kind.group;
    const found = this.#resources.get(`${ROOT}${group}/${kind.plural}/`);
    if (found === undefined) throw new Error(`reading the cache of ${kind.plural}: no such kind was given to it`);
    return found;
  }

  /**
   * Reads everything as it was a while ago and follows from there; resolves when it stands at what is there now. So watches that were cut by a
   * restart go on from where they were, and no client has to list anew.
   */
  async start(): Promise<void> {
    const { store } = this.#options;
    const newest = await store.revision();
    const past = Math.max(1, newest - REPLAYED);
    const { items, revision } = await this.#read(past).catch((error: unknown) => {
      if (!(error instanceof Compacted)) throw error;
      return this.#read(undefined);
    });
    this.#revision = revision;
    for (const [prefix, resource] of this.#resources) resource.reset(items.get(prefix) ?? [], revision);
    this.#watch = await store.watch(ROOT, revision, {
      events: (events, newest) => this.#take(events, newest),
      ended: (error) => this.#ended(error),
    });
    if (this.#closed) this.#watch.close();
    this.#wake();
    if (this.#revision < newest) {
      await new Promise<void>((done) => {
        this.#waiters.push({ revision: newest, done });
      });
    }
  }

  /** Every object of the kinds here, by the prefix of its resource: as of a revision, or as of now. @throws Compacted */
  async #read(at: number | undefined): Promise<{ items: Map<string, Item[]>; revision: number }> {
    const read = new Map<string, Item[]>();
    let revision = at;
    let after: string | undefined;
    for (;;) {
      const page = await this.#options.store.list(ROOT, {
        limit: PAGE,
        ...(revision === undefined ? {} : { revision }),
        ...(after === undefined ? {} : { after }),
      });
      revision = page.revision;
      for (const entry of page.entries) {
        const prefix = resourcePrefix(entry.key);
        if (!this.#resources.has(prefix)) continue;
        const items = read.get(prefix);
        if (items === undefined) read.set(prefix, [itemOf(entry)]);
        else items.push(itemOf(entry));
      }
      if (!page.more) return { items: read, revision };
      after = page.entries.at(-1)!.key;
    }
  }

  /** Resolves when the cache stands at the revision or later; refuses a revision that does not come. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(PATIENCE_MS, () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(
          new ApiError("Timeout", `Too large resource version: ${revision}, current: ${this.#revision}`, {
            causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
            retryAfterSeconds: 1,
          }),
        );
      });
      const waiter: Waiter = {
        revision,
        done: () => {
          cancel();
          resolve();
        },
      };
      this.#waiters.push(waiter);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#watch?.close();
    this.#watch = undefined;
  }

  #take(events: readonly StoreEvent[], newest: number): void {
    const batches = new Map<ResourceCache, { key: string; revision: number; next: Item | undefined }[]>();
    for (const event of events) {
      const key = event.type === "put" ? event.entry.key : event.key;
      const resource = this.#resources.get(resourcePrefix(key));
      if (resource === undefined) continue;
      const change =
        event.type === "put"
          ? { key, revision: event.entry.modRevision, next: itemOf(event.entry) }
          : { key, revision: event.revision, next: undefined };
      const batch = batches.get(resource);
      if (batch === undefined) batches.set(resource, [change]);
      else batch.push(change);
    }
    this.#revision = Math.max(this.#revision, newest);
    for (const [resource, batch] of batches) resource.apply(batch, newest);
    this.#wake();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.done();
  }

  #ended(error: Error | undefined): void {
    this.#watch = undefined;
    if (this.#closed) return;
    this.#options.log.warn({ error: error?.message }, "the watch of the store ended; everything is read again");
    this.#retry();
  }

  #retry(): void {
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
      if (this.#closed) return;
      this.start().catch((error: unknown) => {
        this.#options.log.warn({ error: String(error) }, "the store cannot be read; trying again");
        this.#retry();
      });
    });
  }
}
