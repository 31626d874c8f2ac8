import { openSync } from "node:fs";
import { join } from "node:path";
import { createLog, toDescriptor, type Log, type LogLevel } from "../../observe/log.ts";
import type { DataLayout } from "./layout.ts";

/** The log of one part, in a file of its own that is open as long as the process. */
export const openLog = (layout: DataLayout, part: string, level: LogLevel): Log =>
  createLog(part, level, toDescriptor(openSync(join(layout.logs, `${part}.log`), "a", 0o600)));
