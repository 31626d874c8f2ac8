import { spawn } from "node:child_process";
import { constants } from "node:os";
import { searchPath } from "./processes.ts";
import { ToolMissing, type Host } from "./host.ts";

/**
 * Runs a program on our own terminal and answers its exit code (128 + signal where a signal ended it).
 * Signals of the terminal reach it directly, so they must not end us first.
 */
export async function attach(host: Host, command: string, args: readonly string[]): Promise<number> {
  if ((await host.which(command)) === undefined) throw new ToolMissing(command);
  const ignore = (): void => {};
  const signals = ["SIGINT", "SIGQUIT"] as const;
  for (const signal of signals) process.on(signal, ignore);
  const child = spawn(command, [...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: searchPath(process.env["PATH"]) },
  });
  const forward = (): void => void child.kill("SIGTERM");
  process.on("SIGTERM", forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of signals) process.off(signal, ignore);
    process.off("SIGTERM", forward);
  }
}
