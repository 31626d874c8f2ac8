import { isApiError } from "../api/status.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { BackoffBounds } from "./backoff.ts";
import { backoff } from "./backoff.ts";

export interface WorkQueueOptions {
  /** How many keys are worked on at the same time; one key never is twice. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Brings the world in line with the objects of `key`. A rejection means: again, later. */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  /** Waits after failures of one key; 5 ms to 10 s. */
  readonly bounds?: BackoffBounds;
}

/** Keys to be worked on. Adding a key that waits already adds nothing; adding one that is being worked on has it worked on once more. */
export interface WorkQueue {
  /** Work begins when the current turn of the event loop is over, so that changes which come together are one piece of work. */
  add(key: string): void;
  /** Adds after so many milliseconds; of several, the earliest counts. */
  addAfter(key: string, milliseconds: number): void;
  /** Resolves when no key waits its turn and none is worked on. Keys that wait for a time do not count. */
  idle(): Promise<void>;
  /** Aborts what is being worked on, and resolves when that has ended. */
  stop(): Promise<void>;
}

/** Conflicts in a row of one key, from which on they are told of. */
const PATIENT = 10;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { concurrency, clock, random, log, work } = options;
  const bounds = options.bounds ?? { least: 5, most: 10_000 };
  const stopping = new AbortController();
  const waiting = new Set<string>();
  const active = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { at: number; cancel: () => void }>();
  let idle: PromiseWithResolvers<void> | undefined;
  let scheduled = false;

  const settle = (): void => {
    if (waiting.size > 0 || active.size > 0) return;
    idle?.resolve();
    idle = undefined;
  };

  const perform = async (key: string): Promise<void> => {
    try {
      await work(key, stopping.signal);
      failures.delete(key);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const facts = { key, failures: count, error: error instanceof Error ? error.message : String(error) };
      // A conflict is settled as soon as the watch has caught up, which takes a few tries when much is going on.
      if (count < (isApiError(error, "Conflict") ? PATIENT : 3)) log.debug(facts, "work on a key failed; trying again");
      else log.warn(facts, "work on a key keeps failing; trying again");
      addAfter(key, backoff(bounds, count, random));
    } finally {
      active.delete(key);
      if (again.delete(key)) add(key);
      schedule();
      settle();
    }
  };

  const drain = (): void => {
    scheduled = false;
    for (const key of waiting) {
      if (active.size >= concurrency || stopping.signal.aborted) break;
      waiting.delete(key);
      active.add(key);
      void perform(key);
    }
  };

  function schedule(): void {
    if (scheduled || waiting.size === 0 || stopping.signal.aborted) return;
    scheduled = true;
    setImmediate(drain);
  }

  function add(key: string): void {
    if (stopping.signal.aborted) return;
    timers.get(key)?.cancel();
    timers.delete(key);
    if (active.has(key)) again.add(key);
    else {
      waiting.add(key);
      schedule();
    }
  }

  function addAfter(key: string, milliseconds: number): void {
    if (stopping.signal.aborted) return;
    const at = clock.now() + milliseconds;
    const held = timers.get(key);
    if (held !== undefined && held.at <= at) return;
    held?.cancel();
    timers.set(key, { at, cancel: clock.after(milliseconds, () => add(key)) });
  }

  const whenIdle = (): Promise<void> => {
    if (waiting.size === 0 && active.size === 0) return Promise.resolve();
    idle ??= Promise.withResolvers<void>();
    return idle.promise;
  };

  return {
    add,
    addAfter,
    idle: whenIdle,
    async stop() {
      stopping.abort(new Error("the work queue was stopped"));
      waiting.clear();
      again.clear();
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
      await whenIdle();
    },
  };
}
