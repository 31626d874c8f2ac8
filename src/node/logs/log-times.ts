import { open, readFile, stat } from "node:fs/promises";

/**
 * When what lies before an offset of a log had been said. A log's lines carry no time of their own, so this is kept beside it: pairs of an
 * offset and milliseconds since the epoch, both rising. The first pair tells where the log begins: what was before is gone.
 */
export interface TimeMark {
  readonly end: number;
  readonly time: number;
}

export const timesFile = (log: string): string => `${log}.times`;

/** Bytes of a mark in the file: two doubles, little-endian. */
const MARK = 16;

export function encodeMarks(marks: readonly TimeMark[]): Buffer {
  const bytes = Buffer.alloc(marks.length * MARK);
  for (const [index, { end, time }] of marks.entries()) {
    bytes.writeDoubleLE(end, index * MARK);
    bytes.writeDoubleLE(time, index * MARK + 8);
  }
  return bytes;
}

/** Half a mark at the end is not yet said. */
export function decodeMarks(bytes: Buffer): TimeMark[] {
  const marks: TimeMark[] = [];
  for (let at = 0; at + MARK <= bytes.length; at += MARK) {
    marks.push({ end: bytes.readDoubleLE(at), time: bytes.readDoubleLE(at + 8) });
  }
  return marks;
}

/** The index of the first mark that is so; marks for which it is not so come first. */
function firstIndex(marks: readonly TimeMark[], isSo: (mark: TimeMark) => boolean): number {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(marks[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** When the byte at `offset` had been said; undefined where that is not written down yet. */
export const timeAt = (marks: readonly TimeMark[], offset: number): number | undefined =>
  marks[firstIndex(marks, ({ end }) => end > offset)]?.time;

/** Where in the log begins what was said at `time` or later. */
export function offsetSince(marks: readonly TimeMark[], time: number): number {
  const index = firstIndex(marks, (mark) => mark.time >= time);
  // What the first mark stands for is gone.
  return index === 0 ? (marks[0]?.end ?? 0) : marks[index - 1]!.end;
}

/** The marks that are left when the log begins at `begin`. */
export function marksFrom(marks: readonly TimeMark[], begin: number): TimeMark[] {
  const index = firstIndex(marks, ({ end }) => end > begin);
  const time = marks[Math.max(0, index - 1)]?.time ?? marks[index]?.time ?? 0;
  return [{ end: begin, time }, ...marks.slice(index)];
}

/** The marks of a log, read as they become more. */
export class LogTimes {
  readonly #path: string;
  #inode = 0;
  #read = 0;
  marks: TimeMark[] = [];

  constructor(log: string) {
    this.#path = timesFile(log);
  }

  /** Where the log begins. */
  get begin(): number {
    return this.marks[0]?.end ?? 0;
  }

  /** A log without such a file, of an older release, has no marks. */
  async refresh(): Promise<void> {
    const now = await stat(this.#path).catch(() => undefined);
    if (now === undefined || (now.ino === this.#inode && now.size === this.#read)) return;
    if (now.ino !== this.#inode || now.size < this.#read) {
      const bytes = await readFile(this.#path).catch(() => Buffer.alloc(0));
      this.marks = decodeMarks(bytes);
      this.#inode = now.ino;
      this.#read = this.marks.length * MARK;
      return;
    }
    const file = await open(this.#path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(now.size - this.#read), 0, undefined, this.#read);
      const more = decodeMarks(buffer.subarray(0, bytesRead));
      for (const mark of more) this.marks.push(mark);
      this.#read += more.length * MARK;
    } finally {
      await file.close();
    }
  }
}
