import type { Secret } from "../../api/generated/types.ts";
import { secrets } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { readKeys, writeKeys } from "./key-data.ts";
import type { CookieKeys } from "./token.ts";

/** Bytes of a key that is made here. */
const LENGTH = 32;
/** Milliseconds for which a new key is known before cookies are made with it: until then every replica has heard of it. */
const HEARD = 10_000;
/** Keys that are known at once; each costs every endpoint a token. */
const MOST = 8;

export interface CookieKeyOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly log: Log;
  readonly events: Pick<EventRecorder, "event"> | undefined;
  /** `namespace/name`. */
  readonly secret: string;
  /** There are other keys than before. */
  readonly changed: (keys: CookieKeys) => void;
}

export interface CookieKeySource {
  /** Empty as long as none is to be had: then no session begins, and those that there are rest. */
  readonly keys: CookieKeys;
  /** Resolves when the Secret has been read, or made, or could not be. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Follows the Secret of session cookies, and makes it where there is none: of replicas that do so at once the first wins, and the others read
 * its key. A new key is known at once and used a little later, so that no replica is shown a cookie that it cannot know. Keys that a change took away are known on, until the end of this process. A Secret that is damaged is told of and never written
 * over; the last good keys stay in force. One that was deleted is made again with the keys in force, since everybody who runs has them.
 */
export function followCookieKeys(options: CookieKeyOptions): CookieKeySource {
  const { client, clock, random, randomBytes, events } = options;
  const [namespace = "", name = ""] = options.secret.split("/");
  const log = options.log.child({ secret: options.secret });
  const cache = createCache<Secret>({
    client,
    resource: secrets,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    clock,
    random,
    log,
  });
  const first = Promise.withResolvers<void>();
  let keys: CookieKeys = [];
  let told: string | undefined;

  const take = (secret: Secret): void => {
    const read = readKeys(secret.data);
    // Told once for each state of the Secret.
    const version = `${secret.metadata.uid} ${secret.metadata.resourceVersion}`;
    if (read.faults.length > 0 && told !== version) {
      told = version;
      const done =
        read.keys.length > 0
          ? "the other keys are used"
          : keys.length > 0
            ? "the keys that were there before stay in force"
            : "no session begins or is recognized until it is mended, or deleted so that a new key is made";
      const message = `Secret ${options.secret} of session cookies: ${read.faults.join("; ")}; ${done}`;
      log.error({}, message);
      events?.event(secret, "Warning", "CookieKeyDamaged", message);
    }
    const [current] = read.keys;
    if (current === undefined) return;
    const [before] = keys;
    const isNews = before !== undefined && !keys.some((key) => equal(key, current));
    const wanted = distinct([...(isNews ? [before] : []), ...read.keys, ...keys]).slice(0, MOST);
    if (isNews) queue.addAfter(options.secret, HEARD);
    if (same(wanted, keys)) return;
    keys = wanted;
    options.changed(keys);
  };

  const make = async (signal: AbortSignal): Promise<Secret> => {
    const secret: Secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace, name },
      type: "Opaque",
      data: writeKeys(keys.length > 0 ? keys : [randomBytes(LENGTH)]),
    };
    try {
      const made = await client.create<Secret>(secrets, secret, undefined, signal);
      log.info({}, keys.length > 0 ? "the Secret of session cookies was gone and was made again" : "a key was made");
      return made;
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      return await client.get<Secret>(secrets, { namespace, name }, signal);
    }
  };

  const queue = createWorkQueue({
    concurrency: 1,
    clock,
    random,
    log,
    work: async (_, signal) => {
      try {
        take(cache.get(options.secret) ?? (await make(signal)));
      } finally {
        first.resolve();
      }
    },
  });
  const unlisten = cache.onChange(() => queue.add(options.secret));
  void cache.synced().then(() => queue.add(options.secret));

  return {
    get keys() {
      return keys;
    },
    ready: first.promise,
    async stop() {
      unlisten();
      cache.stop();
      await queue.stop();
    },
  };
}

const equal = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

const distinct = (keys: CookieKeys): Uint8Array[] =>
  keys.filter((key, at) => keys.findIndex((other) => equal(key, other)) === at);

const same = (one: CookieKeys, other: CookieKeys): boolean =>
  one.length === other.length && one.every((key, at) => equal(key, other[at]!));
