import { existsSync } from "node:fs";
import { join } from "node:path";

const UNPACKED = join(import.meta.dirname, "../../node_modules/.cache/haproxy/run");

/** Debian's HAProxy as `bin/setup` unpacked it, or undefined where it could not be had: then what needs it is skipped by this reason. */
export const haproxy: string | undefined = existsSync(UNPACKED) ? UNPACKED : undefined;
export const WITHOUT_HAPROXY = "there is no haproxy: 'npm run setup' could not have it";
