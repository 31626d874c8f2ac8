import type { HostView } from "./view.ts";

/** Hands out views of the host's files that are no older than a limit. */
export interface FreshViews {
  /** A view for one start; `done` must be called once the container's first process has been made. */
  take(): Promise<{ readonly view: HostView; readonly done: () => void }>;
  close(): Promise<void>;
}

interface Generation {
  readonly built: Promise<HostView>;
  /** Milliseconds of the clock given. */
  readonly since: number;
  users: number;
  isOld: boolean;
}

/**
 * An overlay that is mounted remembers names: a file that was replaced or made on the host meanwhile is not seen through it. So
 * a start takes a view that was built at most `limit` milliseconds ago, and builds a new one otherwise; a burst of starts shares
 * one. A view goes when it is old and nobody starts from it; containers have their own copy of its mounts.
 */
export function freshViews(build: () => Promise<HostView>, now: () => number, limit: number): FreshViews {
  let current: Generation | undefined;
  const closings = new Set<Promise<void>>();

  const drop = (generation: Generation): void => {
    if (!generation.isOld || generation.users > 0) return;
    const closing = generation.built.then((view) => view.close()).catch(() => {});
    closings.add(closing);
    void closing.then(() => closings.delete(closing));
  };
  const retire = (generation: Generation | undefined): void => {
    if (generation === undefined) return;
    generation.isOld = true;
    drop(generation);
  };

  return {
    async take() {
      if (current === undefined || now() - current.since > limit) {
        retire(current);
        current = { built: build(), since: now(), users: 0, isOld: false };
      }
      const generation = current;
      generation.users += 1;
      let isDone = false;
      const done = (): void => {
        if (isDone) return;
        isDone = true;
        generation.users -= 1;
        drop(generation);
      };
      try {
        return { view: await generation.built, done };
      } catch (error) {
        if (current === generation) current = undefined;
        throw error;
      }
    },
    async close() {
      retire(current);
      current = undefined;
      await Promise.all(closings);
    },
  };
}
