import { readFile } from "node:fs/promises";
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../../dns/configuration/usual.ts";
import { startDns } from "../../../dns/dns.ts";
import { parseUpstream } from "../../../dns/forward/upstream.ts";
import { familyOf } from "../../../net/ip.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { fromHeld, stopAtExit } from "../dns-sockets.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** The nameservers of the host, for names outside the cluster; a private site has no way to any. */
async function upstreams(config: SystemConfig, own: readonly string[]): Promise<string[]> {
  if (config.private) return [];
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server));
}

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given }: Ground): Promise<RunningPart> {
  const { config, sockets } = given;
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const outside = (await upstreams(config, [...gateways, ...clusterIPs])).map(parseUpstream);
  const part = await startDns({
    client,
    clock: systemClock,
    random,
    log,
    configuration: {
      servers: [
        {
          ...usualBlock,
          bind: gateways,
          kubernetes: usualKubernetes(config.clusterDomain),
          forward: outside.length === 0 ? [] : [usualForward(outside)],
          cache: usualCache,
          loadbalance: true,
        },
      ],
    },
    registration: { clusterIPs, nodeName: config.nodeName },
    ...(sockets === undefined ? {} : { openSocket: fromHeld(sockets) }),
  });
  stopAtExit(part);
  return { ready: part.synced(), stop: () => part.stop(), remove: () => part.stop() };
}
