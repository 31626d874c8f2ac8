import { backoff } from "../client/backoff.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { EngineFigure, ProxyEngine } from "./engine.ts";
import type { NodePlan, ServicePlan } from "./plan/plan.ts";

export interface LoopOptions<P, F, A> {
  readonly engine: ProxyEngine<P, F, A>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called at the start of each round: what has changed since the last call, and the node as it is. */
  collect(): Collected;
  /** What `collect` gave is in the kernel. */
  applied(round: AppliedRound): void;
  /** What is in the kernel is not what we wrote: somebody else was there. All is read and written again. */
  disturbed(): void;
  /** What `collect` gave last is not in the kernel yet; it will be tried again whole. `full`: all had been compared. */
  failed(round: { readonly full: boolean }): void;
  /** How long a round took that is in the kernel. */
  measured?(round: { readonly milliseconds: number; readonly full: boolean }): void;
  readonly timing?: Timing;
}

/** Milliseconds. */
export interface Timing {
  /** The longest until a failed round is tried again (PRX-211). */
  readonly syncPeriod: number;
  /** From the end of one round to the beginning of the next (PRX-210). */
  readonly minSyncPeriod: number;
}

const USUAL: Timing = { syncPeriod: 30_000, minSyncPeriod: 0 };

export interface Collected {
  readonly plans: ReadonlyMap<string, ServicePlan | undefined>;
  /** Compared by identity. */
  readonly node: NodePlan;
}

/** A round of writing that is in the kernel. */
export interface AppliedRound {
  /** Services that changed since the last such round; undefined for those that are gone. */
  readonly changes: ReadonlyMap<string, ServicePlan | undefined>;
  readonly plans: ReadonlyMap<string, ServicePlan>;
  readonly node: NodePlan;
  /** All was read and compared, not only what changed. */
  readonly full: boolean;
}

/** Milliseconds between two looks at whether our rules are still there (PRX-178, PRX-270: kube-proxy needs 30 s to an hour). */
const LOOK_EVERY = 5_000;
/** Heals what others did to our tables meanwhile (PRX-212). */
const FULL_EVERY = 3_600_000;
/** The first pause after a failure. */
const FIRST_PAUSE = 100;

export interface Loop {
  /** Something may have changed. */
  wake(): void;
  /** Resolves when the first round has succeeded; never rejects. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
  /** What the engine counts, of what is applied now. */
  figures(): readonly EngineFigure[];
}

/** Makes true what is wanted, for as long as it runs: one round at a time, the next as soon as there is something to do. */
export function startLoop<P, F, A>(options: LoopOptions<P, F, A>): Loop {
  const { engine, clock, log } = options;
  const { syncPeriod, minSyncPeriod } = options.timing ?? USUAL;
  const stopping = new AbortController();
  const { signal } = stopping;
  const ready = Promise.withResolvers<void>();
  const parts = new Map<string, P>();
  const plans = new Map<string, ServicePlan>();
  let node: NodePlan | undefined;
  let frame: F;
  let applied: A | undefined;
  let awake = Promise.withResolvers<void>();
  let failures = 0;
  let looksDue = false;
  let fullDue = false;
  let full = true;
  let changes = new Map<string, ServicePlan | undefined>();

  /** Takes the changes in; answers the keys that may differ. */
  const take = (): Set<string> => {
    const collected = options.collect();
    const changed = new Set(collected.plans.keys());
    for (const [key, plan] of collected.plans) {
      changes.set(key, plan);
      if (plan === undefined) plans.delete(key);
      else plans.set(key, plan);
    }
    const previous = node;
    if (collected.node !== previous) {
      node = collected.node;
      frame = engine.compileNode(node);
      // Ranges of Services are the only thing that can change without touching what Services compile to.
      if (previous === undefined || !sameButRanges(previous, node)) for (const key of plans.keys()) changed.add(key);
    }
    for (const key of changed) {
      const plan = plans.get(key);
      if (plan === undefined) parts.delete(key);
      else parts.set(key, engine.compile(plan, node!));
    }
    return changed;
  };

  const round = async (): Promise<void> => {
    const began = clock.now();
    const changed = take();
    if (looksDue && applied !== undefined && !(await engine.intact(applied, signal))) {
      log.warn({ engine: engine.name }, "somebody else changed our rules; they are read and written again");
      applied = undefined;
      options.disturbed();
    }
    if (fullDue) applied = undefined;
    looksDue = fullDue = false;
    full = applied === undefined;
    if (applied === undefined) applied = await engine.read(signal);
    applied = await engine.apply({ frame, parts, changed: full ? undefined : changed }, applied, signal);
    const told = changes;
    changes = new Map();
    options.measured?.({ milliseconds: clock.now() - began, full });
    options.applied({ changes: told, plans, node: node!, full });
    if (failures > 0) log.info({ failures }, "rules are written again");
    failures = 0;
    ready.resolve();
  };

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = clock.after(milliseconds, end);
      signal.addEventListener("abort", end, { once: true });
    });

  const run = async (): Promise<void> => {
    for (;;) {
      await awake.promise;
      if (signal.aborted) return;
      // Events of one turn are one round.
      await new Promise((resolve) => setImmediate(resolve));
      awake = Promise.withResolvers();
      try {
        await round();
        if (minSyncPeriod > 0) await pause(minSyncPeriod);
      } catch (error) {
        if (signal.aborted) return;
        applied = undefined;
        options.failed({ full });
        const wait = backoff(
          { least: Math.min(FIRST_PAUSE, syncPeriod), most: syncPeriod },
          ++failures,
          options.random,
        );
        const input = error instanceof Error && "input" in error ? String(error.input).slice(0, 2000) : undefined;
        const complaint = error instanceof Error ? error.message : String(error);
        log.error(
          { engine: engine.name, complaint, input, failures, wait },
          "writing rules failed; everything is read and tried again",
        );
        await pause(wait);
        awake.resolve();
      }
    }
  };

  const cancels = new Set<() => void>();
  const every = (milliseconds: number, act: () => void): void => {
    const cancel = clock.after(milliseconds, () => {
      cancels.delete(cancel);
      act();
      awake.resolve();
      every(milliseconds, act);
    });
    cancels.add(cancel);
  };
  every(FULL_EVERY, () => (fullDue = true));
  every(LOOK_EVERY, () => (looksDue = true));
  const running = run();
  return {
    wake: () => awake.resolve(),
    ready: ready.promise,
    figures: () => (applied === undefined ? [] : (engine.figures?.(applied) ?? [])),
    async stop() {
      stopping.abort();
      for (const cancel of cancels) cancel();
      awake.resolve();
      await running;
      await engine.close();
    },
  };
}

const sameButRanges = (one: NodePlan, other: NodePlan): boolean =>
  JSON.stringify({ ...one, serviceRanges: [] }) === JSON.stringify({ ...other, serviceRanges: [] });
