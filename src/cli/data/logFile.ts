import { openSync } from "node:fs";

/** Opens a log for appending and answers its descriptor, which stays open as long as the process. */
export const openAppend = (path: string): number => openSync(path, "a", 0o600);
