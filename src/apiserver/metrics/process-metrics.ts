import { readdirSync, readFileSync } from "node:fs";
import type { Metrics } from "../../observe/metrics.ts";

/** What this process uses of the machine, under the names that Prometheus libraries agree on. Linux only, as the rest. */
export function processMetrics(metrics: Metrics): void {
  const memory = (field: "VmSize" | "VmRSS"): number => {
    const found = new RegExp(String.raw`^${field}:\s+(\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"));
    return Number(found?.[1]) * 1024;
  };
  const limit = (): number => {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return found === "unlimited" ? Infinity : Number(found);
  };
  const gauge = (name: string, help: string, value: () => number): void =>
    metrics.read("gauge", name, help, [], () => [[[], value()]]);
  metrics.read("counter", "process_cpu_seconds_total", "Processor time used, in seconds.", [], () => {
    const { user, system } = process.cpuUsage();
    return [[[], (user + system) / 1_000_000]];
  });
  gauge("process_resident_memory_bytes", "Memory in use.", () => memory("VmRSS"));
  gauge("process_virtual_memory_bytes", "Address space in use.", () => memory("VmSize"));
  gauge("process_open_fds", "Open file descriptors.", () => readdirSync("/proc/self/fd").length);
  gauge("process_max_fds", "Most file descriptors that may be open.", limit);
  // Not the clock's: a process starts when the machine says so.
  const started = Date.now() / 1000 - process.uptime();
  gauge("process_start_time_seconds", "When it started, in seconds since the epoch.", () => started);
}
