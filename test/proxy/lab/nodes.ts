import { ipBatch } from "../../../src/host/ip.ts";
import type { Host } from "../../../src/host/host.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { shellHost, type ShellHost } from "../../lab/shell-host.ts";
import { inNamespace, NODE, type NetworkOptions } from "./network.ts";

/**
 * Nodes without anybody round them: namespaces with a node's addresses, in which an engine may write. With `nodeIsHere` the first one is the
 * machine that we are on.
 */
export async function openNodes(
  count: number,
  { nodeIsHere = false }: NetworkOptions = {},
): Promise<{ readonly nodes: readonly Host[]; close(): Promise<void> }> {
  const host = systemHost();
  const shells: ShellHost[] = [];
  const names = Array.from({ length: count }, (_, at) => `flpx${process.pid}-alone${at}`);
  const close = async (): Promise<void> => {
    for (const shell of shells) await shell.close();
    for (const name of names) await host.run("ip", ["netns", "del", name]);
  };
  try {
    for (const name of names) {
      const isHere = nodeIsHere && name === names[0];
      await host.check("ip", ["netns", ...(isHere ? ["attach", name, String(process.pid)] : ["add", name])]);
      const addresses = [...Object.values(NODE.IPv4).map((ip) => `${ip}/32`), ...Object.values(NODE.IPv6)];
      await ipBatch(host, ["link set lo up", ...addresses.map((ip) => `addr add ${ip} dev lo`)], name);
      if (nodeIsHere) shells.push(await shellHost(isHere ? host : inNamespace(host, name)));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes: names.map((name, at) => shells[at]?.host ?? inNamespace(host, name)), close };
}
