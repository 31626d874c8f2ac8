import type { IPFamily } from "../../../net/ip.ts";
import type { NodePlan } from "../../plan/plan.ts";
import { TABLE_FAMILY } from "./elements.ts";
import { KIND_MASK, SHAPE_MASK } from "./listid.ts";

/** The label bit that says "an endpoint was looked for" is so far behind the one that says "masquerade". */
const CHOSEN_OFFSET = 32;

/** The node's own priority of a packet is kept by connection for the moment in which we use the field. */
const BORROW = "meta priority != 0 update @borrowed { ct id timeout 3s : meta priority }";
const PUT_BACK = [
  "ct state new ct status dnat meta priority set 0",
  "ct state new ct status dnat meta priority set ct id map @borrowed",
];

/** A packet to an address and port of the node on which node ports answer (PRX-077, PRX-080). */
function toNode(family: IPFamily, node: NodePlan): string {
  const ip = TABLE_FAMILY[family];
  if (node.nodePortAddresses[family] !== "all") return `${ip} daddr @node_ips`;
  return `fib daddr type local ${ip} daddr != ${family === "IPv4" ? "127.0.0.0/8" : "::1"}`;
}

/** A packet whose source is no pod (PRX-067 … PRX-069). The node's own packets came in by no interface. */
function notAPod(family: IPFamily, { localDetector }: NodePlan): string {
  switch (localDetector.by) {
    case "ranges":
      return `${TABLE_FAMILY[family]} saddr != @pods`;
    case "interface":
      return `iifname != "${localDetector.name}"`;
    case "interface-prefix":
      return `iifname != "${localDetector.prefix}*"`;
  }
}

/** The rules of every fixed chain, in order. Pure. */
export function rules(family: IPFamily, node: NodePlan): [chain: string, rules: string[]][] {
  const ip = TABLE_FAMILY[family];
  const service = `${ip} daddr . meta l4proto . th dport`;
  const port = "meta l4proto . th dport";
  const own = toNode(family, node);
  const stranger = notAPod(family, node);
  const mark = `ct label set ${node.masqueradeBit}`;
  // An endpoint in the node's network may be called on its very own address and port: that translation leaves no trace.
  const chosen = node.masqueradeBit + CHOSEN_OFFSET;
  const kind = `meta priority and ${KIND_MASK}`;
  const prefix = node.forwardOnly?.interfacePrefix;
  const ways = [
    `meta priority set ${service} map @fe goto to_mark`,
    `${own} meta priority set ${port} map @np goto to_mark`,
  ];
  // An exact way in comes first, also one that leads nowhere. Who is not in the ranges of sources goes no further.
  const beforeRanges = [
    `${service} @rej return`,
    `${service} @drp return`,
    `${own} ${port} @rej_np return`,
    `${own} ${port} @drp_np return`,
    `${service} @fw_fer ${service} . ${ip} saddr != @fw_allowr drop`,
  ];
  return [
    ["fw_pre", [`ct state new ${service} @fw_fe goto fw`]],
    ["fw_out", [`ct state new ${service} @fw_fe goto fw`]],
    ["fw", [`${service} . ${ip} saddr != @fw_allow drop`]],
    // IPv4 forwarding sets the priority from the TOS itself, whatever it was; IPv6 forwarding keeps it.
    ["nat_pre", [...(family === "IPv6" ? [BORROW] : []), `${stranger} goto outside`, "goto services"]],
    ["nat_out", [BORROW, "goto services"]],
    [
      "outside",
      [
        `meta priority set ${service} map @feo goto pick`,
        `${own} meta priority set ${port} map @npo goto pick`,
        ...ways,
        `${ip} daddr @ranged goto ranges_outside`,
      ],
    ],
    [
      "ranges_outside",
      [
        ...beforeRanges,
        `meta priority set ${service} map @feor goto pick`,
        `meta priority set ${service} map @fer goto to_mark`,
      ],
    ],
    ["services", [...ways, `${ip} daddr @ranged goto ranges`]],
    ["ranges", [...beforeRanges, `meta priority set ${service} map @fer goto to_mark`]],
    [
      "to_mark",
      [
        `${kind} == 1 ${mark} goto pick`,
        `${kind} == 0 ${ip} saddr @own ${mark} goto pick`,
        `${kind} == 0 ${stranger} ${mark} goto pick`,
        "goto pick",
      ],
    ],
    [
      "pick",
      [`meta priority and ${SHAPE_MASK} != 0 ct label set ${chosen}`, `meta priority and ${SHAPE_MASK} vmap @shapes`],
    ],
    [
      "nat_post",
      [
        `ct status dnat ct label ${node.masqueradeBit} masquerade fully-random`,
        `ct status dnat ${ip} saddr . ${ip} daddr @hairpin masquerade fully-random`,
      ],
    ],
    [
      "f_fwd",
      [
        ...(family === "IPv6" ? PUT_BACK : []),
        "ct state new jump refuse",
        ...(prefix === undefined ? [] : [`iifname != "${prefix}*" oifname != "${prefix}*" goto guard`]),
      ],
    ],
    ["f_in", ["ct state new jump refuse_ways"]],
    ["f_out", [...PUT_BACK, "ct state new jump refuse"]],
    [
      "refuse_ways",
      [
        `ct status dnat ct label ${chosen} return`,
        `${service} @rej goto refusal`,
        `${service} @drp drop`,
        `${own} ${port} @rej_np goto refusal`,
        `${own} ${port} @drp_np drop`,
        `ct label ${chosen} return`,
        // A way in that leads somewhere, and yet not translated: it came to be while the packet was between the hooks.
        // Sent on as it is, it would leave for whoever has the address; its sender will say it again.
        `meta priority set ${service} map @fe drop`,
        `${own} meta priority set ${port} map @np drop`,
        `${ip} daddr @ranged jump refuse_ranges`,
      ],
    ],
    [
      "refuse_ranges",
      [`${service} @rejr goto refusal`, `${service} @drpr drop`, `meta priority set ${service} map @fer drop`],
    ],
    ["refuse", ["jump refuse_ways", `${ip} daddr @cluster_ips goto refusal`, `${ip} daddr @svc_cidrs drop`]],
    // ICMP errors are rate-limited by the kernel; a reset is not, so TCP clients always hear at once.
    ["refusal", ["meta l4proto tcp reject with tcp reset", "reject"]],
    // Forwarding was off before us: what we turned on for Services and pods is not for others.
    ["guard", ["ct status dnat accept", "drop"]],
  ];
}
