import type { Host, RunResult } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import { feed, IpvsFailed } from "./tools.ts";

const BASE = { IPv4: "iptables", IPv6: "ip6tables" } as const satisfies Record<IPFamily, string>;
/** The usual one, and the one for kernels whose nf_tables does not know IP. */
const KINDS = ["", "-legacy"] as const;

/** Milliseconds for the first word of a tool: on a kernel without its tables iptables-nft waits for ever. */
const FIRST_WORD = 5000;

/** Which one works on a machine, found once for all engines on it. */
const FOUND = new WeakMap<Host, Promise<string | undefined>>();

/** The iptables of this machine. */
export class Iptables {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** What is added to the names of the tools; undefined where none of them works. */
  #find(): Promise<string | undefined> {
    const found = FOUND.get(this.#host) ?? this.#look();
    FOUND.set(this.#host, found);
    return found;
  }

  async #look(): Promise<string | undefined> {
    for (const kind of KINDS) {
      const tool = `${BASE.IPv4}${kind}`;
      if ((await this.#host.which(tool)) === undefined) continue;
      const { code } = await this.#host.run(tool, ["-w", "-t", "mangle", "-S", "INPUT"], { timeout: FIRST_WORD });
      if (code === 0) return kind;
    }
    // Asked again next time: a module may have been loaded, or a tool installed.
    FOUND.delete(this.#host);
    return undefined;
  }

  /** Whether this family can be written. */
  async works(family: IPFamily): Promise<boolean> {
    const kind = await this.#find();
    if (kind === undefined) return false;
    return (await this.#host.run(`${BASE[family]}${kind}`, ["-w", "-t", "mangle", "-S", "INPUT"])).code === 0;
  }

  async #tool(family: IPFamily, suffix: string): Promise<string> {
    const kind = await this.#find();
    if (kind === undefined) throw new IpvsFailed("finding iptables", "neither iptables nor iptables-legacy works", "");
    return `${BASE[family]}${kind}${suffix}`;
  }

  async run(family: IPFamily, args: readonly string[]): Promise<RunResult> {
    return this.#host.run(await this.#tool(family, ""), ["-w", ...args]);
  }

  /** Every rule there is, by table: whose it is does not matter to the tool. */
  async save(family: IPFamily, signal: AbortSignal): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const tool = await this.#tool(family, "-save");
    const { code, stdout, stderr } = await this.#host.run(tool, [], { signal, timeout: 120_000 });
    if (code !== 0) throw new IpvsFailed("reading rules", stderr, tool);
    const tables = new Map<string, Set<string>>();
    let rules = new Set<string>();
    for (const line of stdout.split("\n")) {
      if (line.startsWith("*")) tables.set(line.slice(1), (rules = new Set()));
      else if (line.startsWith("-A")) rules.add(line);
    }
    return tables;
  }

  /** Loads lines, each table at once. Throws IpvsFailed. */
  async restore(family: IPFamily, lines: readonly string[], signal: AbortSignal): Promise<void> {
    const tool = await this.#tool(family, "-restore");
    await feed(this.#host, "writing rules", [tool, "-w", "--noflush"], lines, signal);
  }
}
