import { appendFile } from "node:fs/promises";

/** Bytes of requests that one start of a container logs at most. */
const MOST = 256 * 1024;
/** How long lines wait for others, in milliseconds. */
const SOON = 100;

/** Lines into many files, none of which stays open. */
export interface RequestLog {
  line(file: string, text: string): void;
  /** Writes what waits, and forgets how full the file is. */
  end(file: string): Promise<void>;
}

export function requestLog(now: () => number): RequestLog {
  const files = new Map<string, { bytes: number; waiting: string }>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = async (file: string): Promise<void> => {
    const state = files.get(file);
    if (state === undefined || state.waiting === "") return;
    const text = state.waiting;
    state.waiting = "";
    // A full disk must not end the answers.
    await appendFile(file, text, { mode: 0o600 }).catch(() => {});
  };

  return {
    line(file, text) {
      const state = files.get(file) ?? { bytes: 0, waiting: "" };
      files.set(file, state);
      if (state.bytes >= MOST) return;
      const line = `${new Date(now()).toISOString()} ${text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 400)}\n`;
      state.bytes += line.length;
      state.waiting += line;
      if (state.bytes >= MOST)
        state.waiting += "simulated: this log is full; later requests are answered, not logged\n";
      timer ??= setTimeout(() => {
        timer = undefined;
        void Promise.all([...files.keys()].map(flush));
      }, SOON);
    },
    async end(file) {
      await flush(file);
      files.delete(file);
    },
  };
}
