import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { makeSettings, wantedSettings, type ConntrackSettings } from "../../proxy/conntrack/sysctls.ts";

/** Makes this machine's connection tracking as configured (PRX-209). Never fails: what cannot be set is told. */
export const setConntrack = (
  settings: ConntrackSettings,
  tell: (type: "Warning", reason: string, message: string) => void,
): Promise<void> =>
  makeSettings(
    wantedSettings(settings, cpus().length),
    { read: (file) => readFile(file, "utf8"), write: (file, text) => writeFile(file, text) },
    tell,
  );
