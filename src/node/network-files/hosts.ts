import type { HostAlias } from "../../api/generated/types.ts";
import type { PodHostname } from "./hostname.ts";

function aliasLines(aliases: readonly HostAlias[]): string[] {
  if (aliases.length === 0) return [];
  return [
    "",
    "# Entries of spec.hostAliases.",
    ...aliases.map((alias) => [alias.ip, ...(alias.hostnames ?? [])].join("\t")),
  ];
}

/** The /etc/hosts of a pod with a network of its own (DNS-100, DNS-102). */
export function hostsFile(
  podIPs: readonly string[],
  hostname: Pick<PodHostname, "short" | "fqdn">,
  aliases: readonly HostAlias[],
): string {
  const names = hostname.fqdn === undefined ? [hostname.short] : [hostname.fqdn, hostname.short];
  const lines = [
    "# Managed by Fairlead: the hosts of this pod.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...podIPs.map((ip) => [ip, ...names].join("\t")),
    ...aliasLines(aliases),
  ];
  return `${lines.join("\n")}\n`;
}

/** The /etc/hosts of a pod on the node's network: the node's own, with the pod's aliases (DNS-101). */
export const nodeHostsFile = (text: string, aliases: readonly HostAlias[]): string =>
  `${["# Managed by Fairlead: the hosts of the node (host network).", text.trimEnd(), ...aliasLines(aliases)].join("\n")}\n`;
