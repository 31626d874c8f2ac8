import { openEngine } from "../../../src/cli/proxy-engines.ts";
import type { Host } from "../../../src/host/host.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { createLog, type Log } from "../../../src/observe/log.ts";
import type { AnyEngine } from "../../../src/proxy/engine.ts";

/** The engines whose connections pass through the kernel that the tests run on. */
export type KernelEngine = "nftables" | "iptables";

/** Warnings are seen, the rest is not. */
export const quietLog = (): Log => createLog("test", "warn", (line) => process.stderr.write(line));

export const engineOn = (host: Host, name: KernelEngine): Promise<AnyEngine> =>
  openEngine(name, {
    host,
    families: ["IPv4", "IPv6"],
    clock: systemClock,
    random: Math.random,
    log: quietLog(),
  });
