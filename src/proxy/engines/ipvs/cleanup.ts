import type { Host } from "../../../host/host.ts";
import { chainsOf, JUMPS, TABLES } from "./frame.ts";
import { FAMILIES, INTERFACE } from "./names.ts";
import { read } from "./read.ts";
import { findIptables, runServers, runSets } from "./tools.ts";
import { parseSets } from "./words.ts";

/** Removes our virtual servers, interface, rules and sets, and nothing else; nothing there is no fault (PRX-268). */
export async function cleanup(host: Host, isExcluded: (key: string) => boolean, signal: AbortSignal): Promise<void> {
  if ((await host.which("ipset")) === undefined) return;
  const saved = await host.run("ipset", ["save"], { signal });
  const { names } = parseSets(saved.stdout);
  if (names.size > 0 && (await host.which("ipvsadm")) !== undefined) {
    const { servers } = await read(host, signal);
    const gone = [...servers.keys()].filter((key) => !isExcluded(key));
    await runServers(
      host,
      gone.map((key) => `-D ${key}`),
      signal,
    );
  }
  if ((await host.run("ip", ["link", "show", "dev", INTERFACE])).code === 0) {
    await host.check("ip", ["link", "del", INTERFACE], { signal });
  }
  if (names.size === 0) return;
  for (const family of FAMILIES) {
    const iptables = await findIptables(host, family);
    if (iptables === undefined) continue;
    for (const { table, from, to } of JUMPS) await iptables.run(["-t", table, "-D", from, "-j", to]);
    for (const table of TABLES) {
      for (const chain of chainsOf(table)) await iptables.run(["-t", table, "-F", chain]);
      for (const chain of chainsOf(table)) await iptables.run(["-t", table, "-X", chain]);
    }
  }
  await runSets(
    host,
    [...names].map((name) => `destroy ${name}`),
    signal,
  );
}
