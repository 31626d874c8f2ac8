import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
  type FSWatcher,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Log } from "../../observe/log.ts";
import { decodeMarks, encodeMarks, marksFrom, timesFile, type TimeMark } from "./log-times.ts";

export interface LogLimits {
  /** Bytes that a log may have. */
  readonly most: number;
  /** Bytes of it that are left then, less one line. */
  readonly left: number;
}

/** As much as kubelet keeps of a container: five files of 10 MiB (containerLogMaxSize, containerLogMaxFiles). */
const LIMITS: LogLimits = { most: 50 * 1024 * 1024, left: 40 * 1024 * 1024 };
/** The mark of a log that says nothing yet. */
const NOTHING: TimeMark = { end: 0, time: 0 };
/** Milliseconds between two looks at a log that grows. */
const PACE = 5;
/** Milliseconds between two looks at a log that the kernel gives no notice of. */
const POLL = 1_000;
/** How far the end of a line is looked for. */
const LONGEST_LINE = 65_536;

export interface LogKeeper {
  /** Looks a last time, and leaves the log. */
  stop(): void;
}

export interface LogKeeperOptions {
  readonly log: Log;
  /** Gives the disk back the first bytes of a file, the rest of which stays in its place. Throws where that cannot be. */
  readonly punchHole: (path: string, length: number) => void;
  readonly limits?: LogLimits;
}

/** Takes away the logs of starts before the last one: `previous` asks for no older one. */
function prune(path: string): void {
  const attempt = Number.parseInt(basename(path), 10);
  for (const name of readdirSync(dirname(path))) {
    if (/^\d+\.log/.test(name) && Number.parseInt(name, 10) < attempt - 1) rmSync(join(dirname(path), name));
  }
}

/** Where the first line after `offset` begins; `offset` itself where there is none near. */
function lineAfter(path: string, offset: number): number {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(LONGEST_LINE);
    const index = bytes.subarray(0, readSync(file, bytes, 0, LONGEST_LINE, offset)).indexOf(10);
    return index === -1 ? offset : offset + index + 1;
  } finally {
    closeSync(file);
  }
}

/**
 * Keeps a container's log while it grows: writes down when it was how long, and takes from its beginning what is more than the limits
 * allow. A log that does not grow costs nothing but a watch. Each look is a few system calls on files that are in memory, quicker than
 * handing them to another thread.
 */
export function keepLog(path: string, { log, punchHole, limits = LIMITS }: LogKeeperOptions): LogKeeper {
  const times = timesFile(path);
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  // Of the marks only the first and the last are needed here.
  let [begin, last] = [0, NOTHING];
  let isStopped = false;

  const write = (marks: readonly TimeMark[]): void => {
    writeFileSync(`${times}.new`, encodeMarks(marks), { mode: 0o600 });
    renameSync(`${times}.new`, times);
    begin = marks[0]!.end;
    last = marks.at(-1)!;
  };

  const shorten = (size: number): void => {
    const next = lineAfter(path, size - limits.left);
    // First told, then done: a reader must not take the hole for what was said.
    write(marksFrom(decodeMarks(readFileSync(times)), next));
    try {
      punchHole(path, next);
    } catch (error) {
      log.warn({ path, error: (error as Error).message }, "a log grew beyond its limit and was emptied");
      truncateSync(path);
      write([{ end: 0, time: last.time }]);
    }
  };

  /** True when the log had grown. */
  const look = (): boolean => {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now === undefined || now.size === last.end) return false;
    const mark = { end: now.size, time: Math.max(now.mtimeMs, last.time) };
    if (now.size < last.end) {
      // The program itself has cut it.
      write([{ end: 0, time: now.mtimeMs }, mark]);
      return true;
    }
    appendFileSync(times, encodeMarks([mark]), { mode: 0o600 });
    last = mark;
    if (now.size - begin > limits.most) shorten(now.size);
    return true;
  };

  const attempt = (doing: () => boolean): boolean => {
    try {
      return doing();
    } catch (error) {
      // The files of a pod that goes may go first.
      log.debug({ path, error: (error as Error).message }, "a log could not be looked at");
      return false;
    }
  };

  const wait = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(goOn, milliseconds).unref();
  };
  const notice = (): void => {
    watcher?.close();
    watcher = undefined;
    goOn();
  };
  const goOn = (): void => {
    if (isStopped) return;
    if (attempt(look)) return wait(PACE);
    try {
      watcher = watch(path, { persistent: false }, notice);
      watcher.on("error", () => wait(POLL));
    } catch {
      return wait(POLL);
    }
    // What came between the look and the watch.
    if (attempt(look)) notice();
  };

  const begun = (): boolean => {
    prune(path);
    const marks = existsSync(times) ? decodeMarks(readFileSync(times)) : [];
    if (marks.length === 0) write([NOTHING]);
    else [begin, last] = [marks[0]!.end, marks.at(-1)!];
    return true;
  };
  if (attempt(begun)) goOn();
  return {
    stop() {
      if (isStopped) return;
      isStopped = true;
      clearTimeout(timer);
      watcher?.close();
      attempt(look);
    },
  };
}
