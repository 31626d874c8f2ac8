import type { HostAlias } from "../../api/generated/types.ts";
import type { PodHostname } from "./hostname.ts";

/** The pod's /etc/hosts (DNS-100 … DNS-102). */
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
  ];
  if (aliases.length > 0) {
    lines.push("", "# Entries of spec.hostAliases.");
    for (const alias of aliases) lines.push([alias.ip, ...(alias.hostnames ?? [])].join("\t"));
  }
  return `${lines.join("\n")}\n`;
}
