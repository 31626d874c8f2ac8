import type { Host, RunResult } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";

/** Which of the two kernel sides iptables writes to; undefined: what the machine's `iptables` is. */
export type Backend = "nft" | "legacy" | undefined;

/** iptables-restore refused: its complaint, and what it was given. */
class IptablesFailed extends Error {
  override readonly name = "IptablesFailed";
  readonly input: string;
  constructor(tool: string, result: RunResult, input: string) {
    const complaint = result.stderr.trim().split("\n").slice(0, 3).join(" | ");
    const line = Number(/line:? (\d+)/.exec(complaint)?.[1]);
    const text = Number.isNaN(line) ? undefined : input.split("\n")[line - 1];
    super(
      `writing iptables rules with ${tool}: ${complaint === "" ? `exit code ${result.code}` : complaint}${text === undefined ? "" : ` (line ${line} is: ${text})`}`,
    );
    this.input = input;
  }
}

const PROGRAM: { readonly [family in IPFamily]: string } = { IPv4: "iptables", IPv6: "ip6tables" };

/** `iptables-restore`, `ip6tables-legacy-save`: the name of a tool. */
export const toolName = (family: IPFamily, backend: Backend, action: "restore" | "save"): string =>
  [PROGRAM[family], ...(backend === undefined ? [] : [backend]), action].join("-");

/** Seconds in which the lock that all users of the legacy tables share must become free. */
const LOCK_PATIENCE = 20;
/** Milliseconds for a first load of very many Services. */
const PATIENCE = 300_000;

/** The iptables tools of this machine. */
export class Iptables {
  readonly host: Host;
  readonly backend: Backend;
  #legacy: Promise<boolean> | undefined;

  constructor(host: Host, backend: Backend) {
    this.host = host;
    this.backend = backend;
  }

  /** Writes a text whose chains are ours; a table at a time it is all taken or nothing. Throws IptablesFailed. */
  async restore(family: IPFamily, text: string, signal?: AbortSignal): Promise<void> {
    const tool = toolName(family, this.backend, "restore");
    const result = await this.host.run(tool, ["--noflush", "--wait", String(LOCK_PATIENCE)], {
      input: text,
      signal,
      timeout: PATIENCE,
    });
    if (result.code !== 0) throw new IptablesFailed(tool, result, text);
  }

  /** Whether all these rules are there: a text of `-C` lines, which changes nothing. */
  async holds(family: IPFamily, text: string, signal?: AbortSignal): Promise<boolean> {
    const tool = toolName(family, this.backend, "restore");
    // The nft side looks only when it means it, and then has nothing to write; the legacy side would write the table again.
    const test = (await this.isLegacy()) ? ["--test"] : [];
    const args = ["--noflush", "--wait", String(LOCK_PATIENCE), ...test];
    const result = await this.host.run(tool, args, { input: text, signal });
    return result.code === 0;
  }

  /** What iptables-save prints of a table. */
  async save(family: IPFamily, table: string, signal?: AbortSignal): Promise<string> {
    const args = ["-t", table];
    const result = await this.host.run(toolName(family, this.backend, "save"), args, { signal, timeout: PATIENCE });
    if (result.code !== 0)
      throw new IptablesFailed(`${toolName(family, this.backend, "save")} -t ${table}`, result, "");
    return result.stdout;
  }

  isLegacy(): Promise<boolean> {
    this.#legacy ??= this.host
      .run(toolName("IPv4", this.backend, "restore"), ["-V"])
      .then(({ stdout }) => !stdout.includes("nf_tables"));
    return this.#legacy;
  }
}
