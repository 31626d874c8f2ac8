import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";

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

async function feed(
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
  const already = /File exists|Cannot assign requested address|Command failed/;
  const complaints = stderr.split("\n").filter((line) => line.trim() !== "" && !already.test(line));
  if (code !== 0 && complaints.length > 0) throw new IpvsFailed("writing addresses", complaints.join("\n"), input);
}

/** The iptables of a family: the usual one, or the one for kernels whose nf_tables does not know the family. */
export interface Iptables {
  readonly command: string;
  run(args: readonly string[]): ReturnType<Host["run"]>;
  /** Loads whole chains, each table at once. Throws IpvsFailed. */
  restore(text: string, signal?: AbortSignal): Promise<void>;
}

const BASE = { IPv4: "iptables", IPv6: "ip6tables" } as const satisfies Record<IPFamily, string>;

/** Undefined where neither is there and able. */
export async function findIptables(host: Host, family: IPFamily): Promise<Iptables | undefined> {
  for (const command of [BASE[family], `${BASE[family]}-legacy`]) {
    if ((await host.which(command)) === undefined) continue;
    if ((await host.run(command, ["-w", "-t", "mangle", "-S", "INPUT"])).code !== 0) continue;
    return {
      command,
      run: (args) => host.run(command, ["-w", ...args]),
      async restore(text, signal) {
        const lines = text.trimEnd().split("\n");
        await feed(host, "writing rules", [`${command}-restore`, "-w", "--noflush"], lines, signal);
      },
    };
  }
  return undefined;
}
