/** What a kernel needs for the IPVS engine, and for the hosts of a test. */
export const IPVS_MODULES = [
  ...["", "_rr", "_wrr", "_lc", "_wlc", "_sh", "_mh"].map((name) => `ip_vs${name}`),
  ...["hash_ip", "hash_net", "hash_ipport", "hash_ipportip", "hash_ipportnet", "bitmap_port"].map(
    (name) => `ip_set_${name}`,
  ),
  ...["iptable", "ip6table"].flatMap((tool) => ["filter", "nat", "mangle"].map((table) => `${tool}_${table}`)),
  ...["set", "conntrack", "mark", "MASQUERADE", "tcpudp", "comment"].map((name) => `xt_${name}`),
  "ipt_REJECT",
  "ip6t_REJECT",
  "nf_conntrack_netlink",
  "dummy",
  "veth",
];
