/** A resolv.conf for somebody who stands in a namespace of the cluster: the search list a pod would have (DNS-103). */
export const resolvConf = (nameservers: readonly string[], namespace: string, domain: string): string =>
  [
    ...nameservers.slice(0, 3).map((server) => `nameserver ${server}`),
    `search ${namespace}.svc.${domain} svc.${domain} ${domain}`,
    "options ndots:5",
    "",
  ].join("\n");
