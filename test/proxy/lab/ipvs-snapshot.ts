import type { Host } from "../../../src/host/host.ts";
import { INTERFACE } from "../../../src/proxy/engines/ipvs/names.ts";

interface Held {
  /** As `ipvsadm -Sn` prints them; real servers that are on their way out are left out. */
  readonly servers: readonly string[];
  readonly sets: readonly string[];
  readonly rest: readonly string[];
}

async function held(host: Host): Promise<Held> {
  const lines = async (command: string, ...args: string[]): Promise<string[]> => {
    const { code, stdout } = await host.run(command, args);
    return code === 0 ? stdout.split("\n").filter((line) => line !== "") : [];
  };
  const [servers, sets, four, six, addresses] = await Promise.all([
    lines("ipvsadm", "-S", "-n"),
    lines("ipset", "save"),
    lines("iptables-legacy-save"),
    lines("ip6tables-legacy-save"),
    lines("ip", "-br", "addr", "show", "dev", INTERFACE),
  ]);
  const rules = [...four, ...six].filter((line) => line.startsWith("-A") && /fairlead/i.test(line));
  return {
    servers: servers.filter((line) => !line.endsWith(" -w 0")),
    sets: sets.filter((line) => line.startsWith("add ")),
    rest: [...rules, ...(addresses[0] ?? "").split(/\s+/).slice(2).toSorted()],
  };
}

/** What we have in the kernel; a list for outsiders is called by its real servers, since marks differ from start to start. */
export async function ipvsSnapshot(host: Host): Promise<string> {
  const { servers, sets, rest } = await held(host);
  const names = new Map<number, string>();
  for (const line of servers.toSorted()) {
    const [, mark = "", what = ""] = /^-[aA] -f (\d+) (.*)$/.exec(line) ?? [];
    if (mark !== "") names.set(Number(mark), `${names.get(Number(mark)) ?? ""}[${what}]`);
  }
  const marked = sets.map((line) =>
    line.replace(/skbmark (0x[\da-f]+)/, (_, mark: string) => names.get(Number(mark)) ?? "a mark of no list"),
  );
  const lists = [...names.values()].map((what) => `a list for outsiders: ${what}`);
  const others = servers.filter((line) => !/^-[aA] -f /.test(line));
  return [...[...others, ...lists, ...marked].toSorted(), ...rest].join("\n");
}

/** The same to the letter. */
export async function ipvsExact(host: Host): Promise<string> {
  const { servers, sets, rest } = await held(host);
  return [...servers.toSorted(), ...sets.toSorted(), ...rest].join("\n");
}
