import { readFileSync } from "node:fs";
import type { SystemConfig } from "./config.ts";

/** What each process of the system is given, as JSON in one variable of its environment. */
export interface ProcessConfig {
  readonly config: SystemConfig;
  /** The node's addresses that others reach it by, IPv4 first. */
  readonly nodeAddresses: readonly string[];
}

const VARIABLE = "FAIRLEAD_PROCESS";

export const processEnvironment = (given: ProcessConfig): Record<string, string> => ({
  [VARIABLE]: JSON.stringify(given),
});

export function processConfig(environment: NodeJS.ProcessEnv): ProcessConfig {
  const text = environment[VARIABLE];
  if (text === undefined)
    throw new Error("starting a process of the system: it is started by 'fairlead up', not by hand");
  return JSON.parse(text) as ProcessConfig;
}

/** The machine's random boot number: what was made before the last boot is no longer there. */
export const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
