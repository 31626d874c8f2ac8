import { pino } from "pino";

/** Structured logs: an object of facts first, then a sentence. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Log;
}

/** JSON lines on file descriptor `fd`, one a message, each with the part's name. */
export const createLog = (part: string, level: string, fd = 2): Log =>
  pino({ level, base: { part }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd, sync: true }));

/** For tests and for callers that do not want to hear. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
