import type { Host } from "../../../host/host.ts";
import { chainsOf, jumpRule, JUMPS, TABLES } from "./frame.ts";
import type { Iptables } from "./iptables.ts";
import { FAMILIES, INTERFACE, setOf } from "./names.ts";
import { read } from "./read.ts";
import { runAddresses, runServers, runSets } from "./tools.ts";
import { parseSets } from "./words.ts";

/** Removes our virtual servers, interface, rules and sets, and nothing else; nothing there is no fault (PRX-268). */
export async function cleanup(
  host: Host,
  iptables: Iptables,
  isExcluded: (key: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  if ((await host.which("ipset")) === undefined) return;
  const saved = await host.run("ipset", ["save"], { signal });
  const { names } = parseSets(saved.stdout);
  if (names.size > 0 && (await host.which("ipvsadm")) !== undefined) {
    const { servers } = await read(host, signal);
    const gone = [...servers.keys()].filter((key) => !isExcluded(key));
    const lines = gone.map((key) => `-D ${key}`);
    await runServers(host, lines, signal);
  }
  await runAddresses(host, [`link del ${INTERFACE}`], signal);
  for (const family of FAMILIES) {
    if (![...names].some((name) => setOf(name)?.family === family)) continue;
    const held = await iptables.save(family, signal);
    const lines = TABLES.filter((table) => held.has(table)).flatMap((table) => {
      const calls = JUMPS.filter((jump) => jump.table === table && held.get(table)!.has(jumpRule(jump)));
      // Naming a chain empties it and makes it if need be, so that all of them can go.
      return [
        `*${table}`,
        ...chainsOf(table).map((chain) => `:${chain} - [0:0]`),
        ...calls.map(({ from, to }) => `-D ${from} -j ${to}`),
        ...chainsOf(table).map((chain) => `-X ${chain}`),
        "COMMIT",
      ];
    });
    await iptables.restore(family, lines, signal);
  }
  const lines = [...names].map((name) => `destroy ${name}`);
  await runSets(host, lines, signal);
}
