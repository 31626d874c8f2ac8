import type { Host } from "../../../host/host.ts";

const PATIENCE = 120_000;

/** A tool refused: what it was doing, its exact complaint, and what it was given. */
export class IpvsFailed extends Error {
  override readonly name = "IpvsFailed";
  readonly input: string;
  constructor(doing: string, complaint: string, input: string) {
    const first = complaint.trim().split("\n").slice(0, 3).join(" | ");
    super(`${doing}: ${first === "" ? "the tool ended without a word" : first}`);
    this.input = input;
  }
}

export async function feed(
  host: Host,
  doing: string,
  command: readonly [string, ...string[]],
  lines: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (lines.length === 0) return;
  const input = `${lines.join("\n")}\n`;
  const [tool, ...args] = command;
  const { code, stderr } = await host.run(tool, args, { input, signal, timeout: PATIENCE });
  // ipvsadm goes on after a line that fails and ends with 0: only what it says tells.
  if (code !== 0 || (tool === "ipvsadm" && stderr.trim() !== "")) throw new IpvsFailed(doing, stderr, input);
}

/** Runs ipvsadm's lines in order in one process. Throws IpvsFailed when one of them fails; the others are done then. */
export const runServers = (host: Host, lines: readonly string[], signal?: AbortSignal): Promise<void> =>
  feed(host, "writing virtual servers", ["ipvsadm", "-R"], lines, signal);

/** Runs ipset's lines in order in one process; what is already so is no fault. */
export const runSets = (host: Host, lines: readonly string[], signal?: AbortSignal): Promise<void> =>
  feed(host, "writing sets", ["ipset", "-exist", "restore"], lines, signal);

/** Runs ip's lines in order in one process, going on after one that is already so. */
export async function runAddresses(host: Host, lines: readonly string[], signal?: AbortSignal): Promise<void> {
  if (lines.length === 0) return;
  const input = `${lines.join("\n")}\n`;
  const { code, stderr } = await host.run("ip", ["-force", "-batch", "-"], { input, signal, timeout: PATIENCE });
  const already = /File exists|Cannot assign requested address|Cannot find device|Command failed/;
  const complaints = stderr.split("\n").filter((line) => line.trim() !== "" && !already.test(line));
  if (code !== 0 && complaints.length > 0) throw new IpvsFailed("writing addresses", complaints.join("\n"), input);
}
