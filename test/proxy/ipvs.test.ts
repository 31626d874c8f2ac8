import { join } from "node:path";
import { test } from "node:test";
import { KEPT, insideUml, noUml } from "../lab/uml.ts";

const MODULES = [
  ...["", "_rr", "_wrr", "_lc", "_wlc", "_sh", "_mh"].map((name) => `ip_vs${name}`),
  ...["hash_ip", "hash_net", "hash_ipport", "hash_ipportip", "hash_ipportnet", "bitmap_port"].map(
    (name) => `ip_set_${name}`,
  ),
  ...["iptable", "ip6table"].flatMap((tool) => ["filter", "nat", "mangle"].map((table) => `${tool}_${table}`)),
  ...["set", "conntrack", "mark", "MASQUERADE", "tcpudp", "comment"].map((name) => `xt_${name}`),
  "ipt_REJECT",
  "ip6t_REJECT",
  "dummy",
  "veth",
  "sctp",
];

void test("IPVS in user-mode Linux", { skip: await noUml() }, (t) =>
  insideUml(t, {
    file: "test/proxy/inside/ipvs.ts",
    modules: MODULES,
    env: { FAIRLEAD_PACKETS: KEPT, FAIRLEAD_PACKETS_SCALE: "2" },
    keep: process.env["FAIRLEAD_PACKETS"] ?? join(import.meta.dirname, "../../node_modules/.cache"),
    deadline: 570_000,
  }),
);
