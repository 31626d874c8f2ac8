import { writeSync } from "node:fs";

/** Structured logs: an object of facts first, then a sentence. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Log;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** An Error has no enumerable properties of its own; what a reader wants of it is its words and where it was thrown. */
const readable = (_: string, value: unknown): unknown =>
  value instanceof Error
    ? { message: value.message, stack: value.stack }
    : typeof value === "bigint"
      ? String(value)
      : value;

const quiet = (): void => {};

/** Writes each message as one JSON line: time, level, the bound facts, the message's own, and the sentence. */
export function createLog(part: string, level: LogLevel, write: (line: string) => void): Log {
  const least = LOG_LEVELS.indexOf(level);
  const bind = (bound: object): Log => {
    const at = (name: LogLevel) =>
      LOG_LEVELS.indexOf(name) < least
        ? quiet
        : (facts: object, message: string): void => {
            write(
              `${JSON.stringify({ time: new Date().toISOString(), level: name, ...bound, ...facts, message }, readable)}\n`,
            );
          };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (facts) => bind({ ...bound, ...facts }),
    };
  };
  return bind({ part });
}

/** Lines into an open file, at once: the last ones before a death are those that matter. A full disk must not end a proxy, so failures are passed over. */
export const toDescriptor =
  (fd: number) =>
  (line: string): void => {
    try {
      writeSync(fd, line);
    } catch {
      // Nowhere is left to say it.
    }
  };

/** For tests and for callers that do not want to hear. */
export const silentLog: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => silentLog };
