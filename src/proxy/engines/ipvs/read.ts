import type { Host } from "../../../host/host.ts";
import { isOurMark, markOfKey } from "./names.ts";
import { IpvsState } from "./state.ts";
import { IpvsFailed } from "./tools.ts";
import { isOurs, parseServers, parseSets, type HeldServer } from "./words.ts";

const PATIENCE = 120_000;

export async function readServers(host: Host, signal: AbortSignal): Promise<Map<string, HeldServer>> {
  const { code, stdout, stderr } = await host.run("ipvsadm", ["-S", "-n"], { signal, timeout: PATIENCE });
  if (code !== 0) throw new IpvsFailed("reading virtual servers", stderr, "ipvsadm -S -n");
  return parseServers(stdout);
}

/**
 * What the kernel holds of ours. A virtual server is ours when its way in stands in our set `ways`, or its mark is one
 * of ours: `apply` writes the set before it makes the server and clears it after.
 */
export async function read(host: Host, signal: AbortSignal): Promise<IpvsState> {
  const state = new IpvsState();
  const { code, stdout, stderr } = await host.run("ipset", ["save"], { signal, timeout: PATIENCE });
  if (code !== 0) throw new IpvsFailed("reading sets", stderr, "ipset save");
  for (const element of parseSets(stdout).elements) state.ledger.found(element);
  for (const [key, server] of await readServers(host, signal)) {
    const mine = isOurs(key, (family, way) => state.ledger.has(family, "ways", way));
    (mine ? state.servers : state.foreign).set(key, server);
    const mark = markOfKey(key);
    if (mark !== undefined && isOurMark(mark)) state.foundMark(mark);
  }
  return state;
}
