import { open, type FileHandle } from "node:fs/promises";
import { watchFile } from "../../host/watched-file.ts";
import { microTimestamp } from "../../observe/clock.ts";
import { LogTimes, offsetSince, timeAt } from "./log-times.ts";

const CHUNK = 65_536;
/** How often a followed file is looked at where the kernel's notice was lost, in milliseconds. */
const FOLLOW_POLL = 1_000;
const LINE_END = 10;

/** Where the last `lines` lines of a file begin, not before `begin`. A last line without an end counts. */
async function tailOffset(file: FileHandle, begin: number, lines: number): Promise<number> {
  const { size } = await file.stat();
  let left = lines;
  if (left === 0) return size;
  let end = size;
  while (end > begin) {
    const start = Math.max(begin, end - CHUNK);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      if (buffer[index] !== LINE_END || start + index === size - 1) continue;
      left -= 1;
      if (left === 0) return start + index + 1;
    }
    end = start;
  }
  return begin;
}

/** The first beginning of a line at `offset` or later, not before `begin`; the end of the file where there is none. */
async function lineFrom(file: FileHandle, begin: number, offset: number): Promise<number> {
  if (offset <= begin) return begin;
  for (let at = offset - 1; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at);
    const index = buffer.subarray(0, bytesRead).indexOf(LINE_END);
    if (index !== -1) return at + index + 1;
    if (bytesRead === 0) return at;
    at += bytesRead;
  }
}

export interface ReadLogOptions {
  readonly tailLines?: number | undefined;
  /** Lines that were begun at this time or later, in milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Bytes at most, those of times included. */
  readonly limitBytes?: number | undefined;
  /** A time before every line. */
  readonly timestamps?: boolean | undefined;
  /** Goes on as the file grows, until `over` says that nothing more comes, or the signal. */
  readonly follow?: boolean | undefined;
  /** Only what comes after this offset. */
  readonly from?: number | undefined;
  /** Whether the writer has ended; asked before a look at the file that finds nothing ends the stream. */
  readonly over: () => boolean;
  /** Aborted when `over` may answer otherwise than before. */
  readonly recheck?: AbortSignal | undefined;
}

/** A piece of a log and where in it that lies. */
interface Piece {
  readonly at: number;
  readonly data: Buffer;
}

async function firstOffset(file: FileHandle, times: LogTimes, options: ReadLogOptions): Promise<number> {
  const { begin } = times;
  const { size } = await file.stat();
  // The program itself has cut its log, and nobody has written that down yet.
  if (size < begin) return 0;
  if (options.from !== undefined) return Math.max(begin, options.from);
  const offsets = [begin];
  if (options.tailLines !== undefined) offsets.push(await tailOffset(file, begin, options.tailLines));
  if (options.since !== undefined) offsets.push(await lineFrom(file, begin, offsetSince(times.marks, options.since)));
  return Math.max(...offsets);
}

async function* pieces(
  path: string,
  times: LogTimes,
  options: ReadLogOptions,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    // Its program has not been started, or its runtime writes no log.
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return;
  let wake = (): void => {};
  let changed = false;
  const notice = (): void => {
    changed = true;
    wake();
  };
  const stopWatching = options.follow === true ? watchFile(path, FOLLOW_POLL, notice) : undefined;
  for (const each of [signal, options.recheck]) each?.addEventListener("abort", notice);
  try {
    await times.refresh();
    let at = await firstOffset(file, times, options);
    // What a program says while it is read is not waited for: one that never stops would never be read.
    const end = options.follow === true ? Number.POSITIVE_INFINITY : (await file.stat()).size;
    while (!signal.aborted) {
      const over = options.over();
      changed = false;
      const length = Math.min(CHUNK, end - at);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, length)), 0, Math.max(0, length), at);
      if (bytesRead > 0) {
        // The beginning of the log may have been given back to the disk while it was read: it then reads as zeros.
        if (buffer[0] === 0) await times.refresh();
        if (at < times.begin) {
          at = times.begin;
          continue;
        }
        yield { at, data: buffer.subarray(0, bytesRead) };
        at += bytesRead;
        continue;
      }
      if (at >= end) return;
      if ((await file.stat()).size < at) {
        at = 0;
        await times.refresh();
        continue;
      }
      if (options.follow !== true || over) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (changed) resolve();
      });
    }
  } finally {
    stopWatching?.();
    for (const each of [signal, options.recheck]) each?.removeEventListener("abort", notice);
    await file.close();
  }
}

/** Puts before every line when it was begun; what nobody has written down yet is from just now. */
async function* stamped(source: AsyncIterable<Piece>, times: LogTimes, now: () => number): AsyncGenerator<Buffer> {
  let atStart = true;
  for await (const { at, data } of source) {
    if (at + data.length > (times.marks.at(-1)?.end ?? 0)) await times.refresh();
    const parts: Buffer[] = [];
    for (let start = 0; start < data.length;) {
      const index = data.indexOf(LINE_END, start);
      const end = index === -1 ? data.length : index + 1;
      if (atStart) parts.push(Buffer.from(`${microTimestamp(timeAt(times.marks, at + start) ?? now())} `));
      parts.push(data.subarray(start, end));
      atStart = index !== -1;
      start = end;
    }
    yield Buffer.concat(parts);
  }
}

async function* plain(source: AsyncIterable<Piece>): AsyncGenerator<Buffer> {
  for await (const { data } of source) yield data;
}

async function* limited(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** The text of a container's log file. `now` is in milliseconds since the epoch. */
export function readLog(
  path: string,
  options: ReadLogOptions,
  now: () => number,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const times = new LogTimes(path);
  const source = pieces(path, times, options, signal);
  const text = options.timestamps === true ? stamped(source, times, now) : plain(source);
  return options.limitBytes === undefined ? text : limited(text, options.limitBytes);
}
