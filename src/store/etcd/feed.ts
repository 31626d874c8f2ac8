import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Compacted, Unavailable } from "../store.ts";
import { NOTHING, type Calls } from "./calls.ts";
import type { Changes } from "./entries.ts";
import type { Members } from "./members.ts";
import { streamChanges } from "./stream.ts";

/** Milliseconds a watch may be behind what answers say, before it is taken for dead and set up anew at another member. */
const LAG_PATIENCE = 1500;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

export interface FeedOptions {
  readonly members: Members;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
  /** Tells of everything after this revision. */
  readonly after: number;
  take(changes: Changes): void;
  /** It cannot go on: what comes next is forgotten, or etcd is no longer the one it was. */
  lost(error: Error): void;
}

/** Everything that changes in etcd, without gap or repetition, over any number of connections. */
export interface Feed {
  /** Resolves when etcd has taken its first watch, or that went wrong. */
  readonly taken: Promise<void>;
  /** An answer came from this revision, so the feed should soon be there. */
  expect(revision: number): void;
  close(): void;
}

export function startFeed(options: FeedOptions): Feed {
  const { members, calls, clock, log, timeoutMs } = options;
  let reached = options.after;
  let expected = reached;
  const closing = new AbortController();
  let isTaken = (): void => {};
  const taken = new Promise<void>((resolve) => {
    isTaken = resolve;
  });
  /** Ends the connection there is now. */
  let renew: (() => void) | undefined;

  const checkPast = async (): Promise<void> => {
    const { header } = await members.ask(calls.range, NOTHING);
    const now = header?.revision ?? 0;
    if (now >= reached) return;
    throw new RangeError(`etcd at ${members.names} went back from revision ${reached} to ${now}: it was set up anew`);
  };

  /** Follows by one connection until it breaks. */
  const follow = async (): Promise<void> => {
    await checkPast();
    const { client, metadata, endpoint } = await members.open();
    const renewing = new AbortController();
    renew = () => renewing.abort();
    try {
      await streamChanges(client, metadata, {
        calls,
        clock,
        timeoutMs,
        after: reached,
        taken: isTaken,
        signal: AbortSignal.any([renewing.signal, closing.signal]),
        take: (changes) => {
          pause = FIRST_PAUSE;
          reached = changes.revision;
          options.take(changes);
        },
      });
    } finally {
      renew = undefined;
      client.close();
      if (!closing.signal.aborted) members.avoid(endpoint);
    }
  };

  let pause = FIRST_PAUSE;
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        isTaken();
        if (closing.signal.aborted) return;
        if (error instanceof Compacted || error instanceof RangeError) return options.lost(error);
        const facts = { after: reached, error: (error as Error).message };
        if (error instanceof Unavailable) log.debug(facts, "etcd cannot be watched; trying again");
        else log.info(facts, "the watch of etcd broke; it goes on from where it was");
      }
      await new Promise<void>((resolve) => void clock.after(pause, resolve));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  };
  void run();

  let isChecking = false;
  const check = (): void => {
    isChecking = true;
    const at = reached;
    clock.after(LAG_PATIENCE, () => {
      isChecking = false;
      if (closing.signal.aborted || reached >= expected) return;
      if (reached === at) {
        log.info({ reached, expected }, "the watch of etcd tells nothing of what it should; it is set up anew");
        renew?.();
      }
      check();
    });
  };

  return {
    taken,
    expect: (revision) => {
      if (revision <= expected) return;
      expected = revision;
      if (!isChecking) check();
    },
    close: () => closing.abort(),
  };
}
