import { ToolFailed, type Host } from "./host.ts";

/**
 * Applies lines of the `ip` tool's own language in one process, in order, stopping at the first that fails:
 * `link add …`, `addr add …`, `route replace …`. `namespace` is a name under /run/netns.
 * Nothing is undone on failure. Names must come from us or be validated first: a line is split at white space.
 */
export async function ipBatch(host: Host, lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  const input = `${lines.join("\n")}\n`;
  await host.check("ip", [...(namespace === undefined ? [] : ["-n", namespace]), "-batch", "-"], { input });
}

/** The parsed output of `ip -json …`, e.g. `["route", "show", "table", "all"]`. */
export async function ipJson(host: Host, args: readonly string[]): Promise<unknown[]> {
  const { stdout } = await host.check("ip", ["-json", ...args]);
  return stdout.trim() === "" ? [] : (JSON.parse(stdout) as unknown[]);
}

/** True for a failure that says the thing is already as asked: it exists on add, or is gone on delete. */
export const isAlreadySo = (error: unknown): boolean =>
  error instanceof ToolFailed &&
  /File exists|Cannot find device|No such (process|file|device)|Cannot assign/.test(error.result.stderr);
