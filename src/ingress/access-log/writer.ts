import type { Clock } from "../../observe/clock.ts";

/** Somewhere that takes text; `done` is called when it is taken, or lost. */
export type TakeText = (text: string, done: (error?: Error | null) => void) => void;

export interface LineWriter {
  write(line: string): void;
  /** Lines that were lost because nobody took them fast enough, or they could not be written. */
  readonly lost: number;
  /** Resolves when all that was written has been taken. */
  flush(): Promise<void>;
}

/** Milliseconds that a line waits for company. */
const WAIT = 100;
const TOGETHER = 64 * 1024;
const MOST_WAITING = 16 * 1024 * 1024;

/** Writes lines in few large pieces and never waits: a reader that is slow, or a disk that is full, loses lines and not requests. */
export function createLineWriter(take: TakeText, clock: Clock): LineWriter {
  let waiting: string[] = [];
  let length = 0;
  let lost = 0;
  let isTaking = false;
  let cancel: (() => void) | undefined;
  let idle: (() => void)[] = [];

  const next = (): void => {
    cancel?.();
    cancel = undefined;
    if (isTaking) return;
    if (waiting.length === 0) {
      for (const resolve of idle) resolve();
      idle = [];
      return;
    }
    const lines = waiting;
    waiting = [];
    length = 0;
    isTaking = true;
    take(lines.join(""), (error) => {
      isTaking = false;
      if (error) lost += lines.length;
      if (idle.length > 0 || length >= TOGETHER) next();
      else if (length > 0) cancel ??= clock.after(WAIT, next);
    });
  };

  return {
    write(line) {
      if (length >= MOST_WAITING) {
        lost += 1;
        return;
      }
      waiting.push(line);
      length += line.length;
      if (length >= TOGETHER) next();
      else if (!isTaking) cancel ??= clock.after(WAIT, next);
    },
    get lost() {
      return lost;
    },
    flush: () =>
      new Promise((resolve) => {
        idle.push(resolve);
        next();
      }),
  };
}
