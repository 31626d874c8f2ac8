import { readFile } from "node:fs/promises";
import { startDns } from "../../../dns/dns.ts";
import { familyOf } from "../../../net/ip.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** The nameservers of the host, for names outside the cluster; a private site has no way to any. */
async function upstreams(config: SystemConfig, own: readonly string[]): Promise<string[]> {
  if (config.private) return [];
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server));
}

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given: { config } }: Ground): Promise<RunningPart> {
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const part = await startDns({
    client,
    clock: systemClock,
    random,
    log,
    zone: config.clusterDomain,
    listen: gateways.map((address) => ({ address, port: 53 })),
    clusterIPs,
    upstreams: await upstreams(config, [...gateways, ...clusterIPs]),
    nodeName: config.nodeName,
  });
  return { ready: part.synced(), stop: () => part.stop(), remove: () => part.stop() };
}
