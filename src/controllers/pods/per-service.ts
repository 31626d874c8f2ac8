import { keyOf } from "../../api/object.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { createRests } from "./rests.ts";
import { listenForTouched } from "./touched.ts";
import { createTriggerTimes } from "./trigger-times.ts";

/** Milliseconds of rest that putting right what others changed costs: who fights with us does so slowly. */
const AGAIN = 50;

/** One piece of work on one Service's endpoints. */
export interface ServiceWork {
  /** `namespace/name` of the Service, which may be gone. */
  readonly key: string;
  /** CTL-043: RFC 3339; when the earliest of what is new happened; undefined when nothing new did. */
  readonly triggerTime: string | undefined;
  /** Keys of the pods of which alone something is new; undefined when anything may be. */
  readonly pods: ReadonlySet<string> | undefined;
}

export interface PerServiceOptions {
  readonly environment: ControllerEnvironment;
  readonly log: Log;
  /** Services worked on at the same time. */
  readonly concurrency: number;
  /** CTL-053: milliseconds by which work that pods bring about is put off. */
  readonly batchPeriod: number;
  /** Milliseconds that a Service rests at most, whatever was done for it. */
  readonly longestRest: number;
  /**
   * Brings one Service's endpoints in line with what is cached, and says how many milliseconds of rest that was worth (see
   * `Rests`). A rejection means: again, later, and all of it.
   */
  readonly work: (work: ServiceWork, signal: AbortSignal) => Promise<number>;
}

export interface PerService extends Part {
  /** All of the Service's endpoints are to be looked at: somebody else changed what was made of them, or how they are judged. */
  again(key: string): void;
}

/**
 * What makes endpoints of pods works so: a Service at a time, on the newest state, whatever happened to it meanwhile in one
 * piece. The caches of pods, Services and nodes must have synced; every Service they hold is worked on at once.
 */
export function workPerService(options: PerServiceOptions): PerService {
  const { environment, log, batchPeriod } = options;
  const { pods, services, nodes } = environment.caches;
  const { clock, random } = environment;
  const triggers = createTriggerTimes();
  const rests = createRests(clock, options.longestRest);
  /** Which pods of a Service something is new of; `undefined` for anything. */
  const news = new Map<string, Set<string> | undefined>();
  const active = new Set<string>();
  /** What was touched while being worked on, and when it may be worked on again; at least after the rest then. */
  const later = new Map<string, number>();

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const trigger = triggers.take(key);
    const fresh = news.get(key);
    news.delete(key);
    active.add(key);
    try {
      rests.spend(key, await options.work({ key, triggerTime: trigger?.text, pods: fresh }, signal));
    } catch (error) {
      news.set(key, undefined);
      if (trigger !== undefined) triggers.note(key, trigger.milliseconds);
      throw error;
    } finally {
      active.delete(key);
      const at = later.get(key);
      if (later.delete(key)) start(key, (at ?? 0) - clock.now());
    }
  };
  const queue = createWorkQueue({ concurrency: options.concurrency, clock, random, log, work });
  /** In so many milliseconds, or when the Service has rested. */
  function start(key: string, delay: number): void {
    const wait = Math.max(rests.left(key), delay);
    if (active.has(key)) later.set(key, Math.min(later.get(key) ?? Infinity, clock.now() + delay));
    else if (wait <= 0) queue.add(key);
    else queue.addAfter(key, wait);
  }
  const touch = (key: string, changedAt: number, touched: readonly string[] | undefined): void => {
    triggers.note(key, changedAt);
    const known = news.get(key);
    if (touched === undefined) news.set(key, undefined);
    else if (known !== undefined) for (const pod of touched) known.add(pod);
    else if (!news.has(key)) news.set(key, new Set(touched));
    start(key, touched === undefined ? 0 : batchPeriod);
  };
  for (const service of services.values()) {
    news.set(keyOf(service), undefined);
    queue.add(keyOf(service));
  }
  const stop = listenForTouched({ pods, services, nodes, clock }, touch);
  return {
    again(key) {
      news.set(key, undefined);
      rests.spend(key, AGAIN);
      start(key, 0);
    },
    async stop() {
      stop();
      await queue.stop();
    },
  };
}
