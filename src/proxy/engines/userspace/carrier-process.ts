import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host, Running } from "../../../host/host.ts";
import type { CarrierReport, CarrierRequest, Refused } from "./carrier/carried.ts";

const MAIN = fileURLToPath(new URL("carrier/main.ts", import.meta.url));
/** What kube-proxy's userspace mode asked for: PRX-200. Each connection that is carried is two files. */
const OPEN_FILES = 64_000;

/** The carrier, wherever it runs. */
export interface CarrierLink {
  readonly isAlive: boolean;
  /** Resolves when it is so, with all sockets that cannot be opened. Rejects when the carrier ends first. */
  set(request: Omit<CarrierRequest, "seq">): Promise<readonly Refused[]>;
  close(): Promise<void>;
}

export interface CarrierOptions {
  /** Milliseconds without a datagram after which a flow ends. */
  readonly udpIdleTimeout: number;
  /** The sockets that cannot be opened are others now. */
  readonly onRefused: (refused: readonly Refused[]) => void;
}

/** Raises the carrier's file limit where that is allowed; Node itself has raised it as far as anybody may. Answers how many files it may open. */
export async function raiseOpenFiles(host: Host, pid: number): Promise<number | undefined> {
  const limit = async (): Promise<number | undefined> => {
    const { code, stdout } = await host.run("prlimit", [
      "--pid",
      String(pid),
      "--nofile",
      "--raw",
      "--noheadings",
      "-o",
      "SOFT",
    ]);
    return code === 0 ? Number(stdout.trim().replace("unlimited", "Infinity")) : undefined;
  };
  const has = await limit();
  if (has === undefined || has >= OPEN_FILES) return has;
  await host.run("prlimit", ["--pid", String(pid), `--nofile=${OPEN_FILES}:${OPEN_FILES}`]);
  return limit();
}

/** Starts the carrier as a process of its own, in the network namespace in which `host` runs programs. It ends with us. */
export async function carrierProcess(
  host: Host,
  options: CarrierOptions,
): Promise<CarrierLink & { readonly pid: number }> {
  const args = ["--disable-warning=ExperimentalWarning", MAIN, String(options.udpIdleTimeout)];
  const running: Running = await host.open(process.execPath, args, { stderr: "pipe" });
  const waiting = new Map<
    number,
    { readonly resolve: (refused: readonly Refused[]) => void; readonly reject: (error: Error) => void }
  >();
  let isAlive = true;
  let seq = 0;
  let complaint = "";
  running.stderr.on("data", (chunk) => (complaint = `${complaint}${String(chunk)}`.slice(-2000)));
  createInterface({ input: running.stdout }).on("line", (line) => {
    const report = JSON.parse(line) as CarrierReport;
    if (report.seq !== undefined) {
      waiting.get(report.seq)?.resolve(report.refused);
      waiting.delete(report.seq);
    } else options.onRefused(report.refused);
  });
  void running.ended.then((code) => {
    isAlive = false;
    const error = new Error(`carrying Services: the carrier process ended with exit code ${code}: ${complaint.trim()}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return {
    pid: running.pid,
    get isAlive() {
      return isAlive;
    },
    set(request) {
      if (!isAlive) return Promise.reject(new Error("carrying Services: the carrier process has ended"));
      const mine = ++seq;
      return new Promise((resolve, reject) => {
        waiting.set(mine, { resolve, reject });
        running.stdin.write(`${JSON.stringify({ ...request, seq: mine })}\n`);
      });
    },
    async close() {
      running.stdin.end();
      await running.ended;
    },
  };
}
