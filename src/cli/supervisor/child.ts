import { createInterface } from "node:readline";
import { appendFile, writeFile } from "node:fs/promises";
import type { Host, Running } from "../../host/host.ts";
import { identityOf } from "../../host/process-identity.ts";
import type { Order, Report } from "./protocol.ts";

/** How to start one of the supervisor's processes. */
export interface ChildCommand {
  readonly name: "server" | "site";
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its standard error goes, beside its own log lines. */
  readonly log: string;
  /** Where it is written down while it runs, for who comes after a supervisor that was killed. */
  readonly record: string;
}

export interface Child {
  readonly pid: number;
  order(order: Order): void;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, and the last line it complained with. */
  readonly ended: Promise<{ readonly code: number; readonly complaint: string }>;
}

/** Starts a process of ours and hears what it reports. */
export async function startChild(host: Host, how: ChildCommand, hear: (report: Report) => void): Promise<Child> {
  const running: Running = await host.open(how.command, how.args, { env: how.env });
  const identity = await identityOf(running.pid);
  if (identity !== undefined) await writeFile(how.record, JSON.stringify(identity), { mode: 0o600 });
  let complaint = "";
  createInterface({ input: running.stdout }).on("line", (line) => {
    try {
      hear(JSON.parse(line) as Report);
    } catch {
      complaint = line;
    }
  });
  running.stderr.on("data", (chunk: Buffer) => {
    const text = chunk.toString();
    const words = text.split("\n").filter((line) => line.trim() !== "" && !/^[{]|^Node\.js v|^ {4}at /.test(line));
    // The first error is the cause; what follows it is where it came from.
    if (!/Error/.test(complaint)) complaint = words.find((line) => /Error/.test(line)) ?? words.at(-1) ?? complaint;
    appendFile(how.log, text).catch(() => {});
  });
  return {
    pid: running.pid,
    order: (order) => void running.stdin.write(`${JSON.stringify(order)}\n`),
    kill: (signal) => running.kill(signal),
    ended: running.ended.then((code) => ({ code, complaint })),
  };
}
