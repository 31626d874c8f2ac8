import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

export interface RoundsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For the log: `the default objects`. */
  readonly what: string;
  /** Milliseconds until the first round; 0 is in this turn. */
  readonly firstMs: number;
  /** Milliseconds from the end of one round to the next. */
  readonly everyMs: number;
  /** A rejection is logged; the next round comes all the same. */
  readonly work: () => Promise<void>;
}

/** Work that is done again and again, never twice at a time. */
export interface Rounds {
  /** A round is due now; of many calls in a short while one round comes of it. */
  soon(): void;
  /** Resolves when the round under way has ended; no other follows. */
  stop(): Promise<void>;
}

/** Milliseconds between two rounds at the least, however often one is called for: somebody may be undoing our work. */
const REST_MS = 200;

export function startRounds({ clock, log, what, firstMs, everyMs, work }: RoundsOptions): Rounds {
  let cancel = (): void => {};
  let running: Promise<void> | undefined;
  let isResting = false;
  let isAsked = false;
  let isStopped = false;

  const round = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isStopped)
        log.warn({ error: error instanceof Error ? error.message : String(error) }, `${what}: a round failed`);
    }
  };
  const run = (): void => {
    cancel();
    if (isStopped || running !== undefined) return;
    isAsked = false;
    running = round().then(() => {
      running = undefined;
      if (isStopped) return;
      isResting = true;
      cancel = clock.after(REST_MS, () => {
        isResting = false;
        if (isAsked) run();
        else cancel = clock.after(everyMs - REST_MS, run);
      });
    });
  };
  if (firstMs === 0) run();
  else cancel = clock.after(firstMs, run);
  return {
    soon() {
      if (running !== undefined || isResting) isAsked = true;
      else run();
    },
    async stop() {
      isStopped = true;
      cancel();
      await running;
    },
  };
}
