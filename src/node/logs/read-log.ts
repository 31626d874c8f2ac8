import { open, type FileHandle } from "node:fs/promises";
import { watchFile } from "../../host/watched-file.ts";

const CHUNK = 65_536;
/** How often a followed file is looked at where the kernel's notice was lost, in milliseconds. */
const FOLLOW_POLL = 1_000;

/** Where the last `lines` lines of a file begin. A last line without an end counts. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  let left = lines;
  if (left === 0) return size;
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      if (buffer[index] !== 10 || start + index === size - 1) continue;
      left -= 1;
      if (left === 0) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

export interface ReadLogOptions {
  readonly tailLines?: number | undefined;
  readonly limitBytes?: number | undefined;
  /** Goes on as the file grows, until `over` says that nothing more comes, or the signal. */
  readonly follow?: boolean | undefined;
  /** Whether the writer has ended; asked before a look at the file that finds nothing ends the stream. */
  readonly over: () => boolean;
}

/** The text of a container's log file. */
export async function* readLog(path: string, options: ReadLogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let wake = (): void => {};
  let changed = false;
  const notice = (): void => {
    changed = true;
    wake();
  };
  const stopWatching = options.follow === true ? watchFile(path, FOLLOW_POLL, notice) : undefined;
  signal.addEventListener("abort", notice);
  try {
    let at = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
    while (!signal.aborted && left > 0) {
      const over = options.over();
      changed = false;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(CHUNK, left)), 0, Math.min(CHUNK, left), at);
      if (bytesRead > 0) {
        at += bytesRead;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
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
    signal.removeEventListener("abort", notice);
    await file.close();
  }
}

/** Puts a time before every line. The program's lines carry none: what is read now is said to be from `timeOf`. */
export async function* withTimestamps(chunks: AsyncIterable<Buffer>, timeOf: () => string): AsyncGenerator<Buffer> {
  let atStart = true;
  for await (const chunk of chunks) {
    let text = "";
    for (const line of chunk.toString("latin1").split(/(?<=\n)/)) {
      text += atStart ? `${timeOf()} ${line}` : line;
      atStart = line.endsWith("\n");
    }
    yield Buffer.from(text, "latin1");
  }
}
