import type { Host } from "../../../host/host.ts";
import { jumpRule, JUMPS } from "./frame.ts";
import type { Iptables } from "./iptables.ts";
import { INTERFACE } from "./names.ts";
import { readServers } from "./read.ts";
import type { IpvsState } from "./state.ts";

/** Whether our virtual servers, interface, and the calls to our chains are still as we left them. */
export async function intact(host: Host, iptables: Iptables, was: IpvsState, signal: AbortSignal): Promise<boolean> {
  const link = await host.run("ip", ["-json", "addr", "show", "dev", INTERFACE], { signal });
  if (link.code !== 0) return false;
  const bound = new Set([...link.stdout.matchAll(/"local":"([^"]+)"/g)].map(([, ip]) => ip!));
  for (const family of was.frame?.families ?? []) {
    if (was.ledger.keysOf(family, "addresses").some((ip) => !bound.has(ip))) return false;
    const held = await iptables.save(family, signal);
    if (JUMPS.some((jump) => !held.get(jump.table)?.has(jumpRule(jump)))) return false;
  }
  const servers = await readServers(host, signal);
  for (const [key, { choice, targets }] of was.servers) {
    const held = servers.get(key);
    if (held === undefined || held.choice !== choice || held.targets.size !== targets.size) return false;
    for (const [target, weight] of targets) if (held.targets.get(target) !== weight) return false;
  }
  return true;
}
