import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { LocalDetector, NodePlan } from "../../plan/plan.ts";
import type { Element } from "./compile.ts";
import { MARK_BASE, MARK_MASK, setName, type SetName } from "./names.ts";
import { inRanges, rangesOf } from "./ranges.ts";

/** A place of the kernel from which one of our chains is called. */
export interface Jump {
  readonly table: "mangle" | "nat" | "filter";
  readonly from: "INPUT" | "OUTPUT" | "FORWARD" | "POSTROUTING";
  readonly to: string;
}

/** Lines by table. */
export type TableRules = { readonly [table in Jump["table"]]: readonly string[] };

/** What belongs to no single Service. */
export interface IpvsFrame {
  readonly families: readonly IPFamily[];
  /** Our own chains, whole, in the words of `iptables-restore`. */
  readonly rules: { readonly [family in IPFamily]?: TableRules };
  /** Ranges and addresses of the node. */
  readonly elements: readonly Element[];
  /** Ranges of unassigned addresses. They come after all Services, else a first load would drop what is still to come. */
  readonly last: readonly Element[];
}

export const JUMPS: readonly Jump[] = [
  { table: "mangle", from: "INPUT", to: "FAIRLEAD-IPVS-IN" },
  { table: "mangle", from: "OUTPUT", to: "FAIRLEAD-IPVS-OUT" },
  { table: "mangle", from: "POSTROUTING", to: "FAIRLEAD-IPVS-LEAVE" },
  { table: "nat", from: "OUTPUT", to: "FAIRLEAD-IPVS-HIDE" },
  { table: "nat", from: "POSTROUTING", to: "FAIRLEAD-IPVS-POST" },
  { table: "filter", from: "INPUT", to: "FAIRLEAD-IPVS-IN" },
  { table: "filter", from: "OUTPUT", to: "FAIRLEAD-IPVS-OUT" },
  { table: "filter", from: "FORWARD", to: "FAIRLEAD-IPVS-FWD" },
];

/** A call as `iptables-save` prints it. */
export const jumpRule = ({ from, to }: Jump): string => `-A ${from} -j ${to}`;

/** Chains that are called by our own. */
const INNER: Readonly<Record<Jump["table"], readonly string[]>> = {
  mangle: ["FAIRLEAD-IPVS-GUARD", "FAIRLEAD-IPVS-STRANGER", "FAIRLEAD-IPVS-OUTSIDE"],
  nat: ["FAIRLEAD-IPVS-FOUND"],
  filter: ["FAIRLEAD-IPVS-REFUSE", "FAIRLEAD-IPVS-REFUSAL", "FAIRLEAD-IPVS-UNASSIGNED"],
};

/** All our chains of a table, in one family. */
export const chainsOf = (table: Jump["table"]): string[] => [
  ...JUMPS.filter((jump) => jump.table === table).map(({ to }) => to),
  ...INNER[table],
];

export const TABLES = ["mangle", "nat", "filter"] as const;

const NEW = "-m conntrack --ctstate NEW";
const hex = (number: number): string => `0x${number.toString(16)}`;

/** Matches who is no pod of this node; undefined where nobody can tell: then everybody counts as a stranger. */
function strangers(detector: LocalDetector, set: (name: SetName) => string): string {
  switch (detector.by) {
    case "ranges":
      return `-m set ! --match-set ${set("pods")} src`;
    case "interface":
      return `! -i ${detector.name}`;
    case "interface-prefix":
      return `! -i ${detector.prefix}+`;
  }
}

function rulesOf(family: IPFamily, node: NodePlan): Record<Jump["table"], [chain: string, rules: string[]][]> {
  const set = (name: SetName): string => setName(family, name);
  const to = (name: SetName): string => `-m set --match-set ${set(name)} dst,dst`;
  const stranger = strangers(node.localDetector, set);
  const bit = hex((1 << node.masqueradeBit) >>> 0);
  const hide = `-j MARK --or-mark ${bit}`;
  const ours = `${hex(MARK_BASE)}/${hex(MARK_MASK)}`;
  const icmp = family === "IPv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  const prefix = node.forwardOnly?.interfacePrefix;
  const isRanged = node.localDetector.by === "ranges";
  return {
    mangle: [
      [
        "FAIRLEAD-IPVS-IN",
        [
          `${NEW} ${to("guarded")} -j FAIRLEAD-IPVS-GUARD`,
          `${NEW} ${to("hide")} ${hide}`,
          // A pod is done here; a stranger may be an outsider, whose packets get the mark of their own virtual server.
          `${stranger} -j FAIRLEAD-IPVS-STRANGER`,
        ],
      ],
      [
        "FAIRLEAD-IPVS-STRANGER",
        [
          `${to("outside")} -g FAIRLEAD-IPVS-OUTSIDE`,
          `${NEW} ${to("outside-drop")} -j DROP`,
          `${NEW} ${to("hide-strangers")} ${hide}`,
        ],
      ],
      ["FAIRLEAD-IPVS-OUTSIDE", [`-j SET --map-set ${set("outside")} dst,dst --map-mark`]],
      ["FAIRLEAD-IPVS-GUARD", [`-m set ! --match-set ${set("allowed")} dst,dst,src -j DROP`]],
      [
        "FAIRLEAD-IPVS-OUT",
        [
          `${NEW} ${to("guarded")} -j FAIRLEAD-IPVS-GUARD`,
          // IPVS would refuse before the filter is asked: for what the node itself sends it comes first.
          `${NEW} ${to("drop")} -j DROP`,
        ],
      ],
      // The mark has done its work: IPVS has sent the packet on.
      ["FAIRLEAD-IPVS-LEAVE", [`-m mark --mark ${ours} -j MARK --set-xmark 0x0/0xffffffff`]],
    ],
    nat: [
      [
        "FAIRLEAD-IPVS-HIDE",
        [
          `${to("hide")} ${hide}`,
          // A source that is a Service's address is one the kernel picked for us: nobody could answer it (PRX-060).
          `${to("ways")} -m set --match-set ${set("addresses")} src ${hide}`,
          ...(isRanged
            ? [
                `${to("hide-strangers")} -m set --match-set ${set("own")} src ${hide}`,
                `${to("hide-strangers")} ${stranger} ${hide}`,
              ]
            : [`${to("hide-strangers")} ${hide}`]),
        ],
      ],
      [
        "FAIRLEAD-IPVS-POST",
        [
          `-m mark --mark ${bit}/${bit} -j FAIRLEAD-IPVS-FOUND`,
          `-m set --match-set ${set("hairpin")} dst,dst,src -j MASQUERADE --random-fully`,
        ],
      ],
      ["FAIRLEAD-IPVS-FOUND", [`-j MARK --set-xmark 0x0/${bit}`, "-j MASQUERADE --random-fully"]],
    ],
    filter: [
      ["FAIRLEAD-IPVS-IN", [`${NEW} -j FAIRLEAD-IPVS-REFUSE`]],
      ["FAIRLEAD-IPVS-OUT", [`${NEW} -j FAIRLEAD-IPVS-REFUSE`, `${NEW} -j FAIRLEAD-IPVS-UNASSIGNED`]],
      [
        "FAIRLEAD-IPVS-FWD",
        [
          `${NEW} -j FAIRLEAD-IPVS-UNASSIGNED`,
          // Forwarding was off before us: what we turned on for Services and pods is not for others.
          ...(prefix === undefined ? [] : [`${NEW} ! -i ${prefix}+ ! -o ${prefix}+ -j DROP`]),
        ],
      ],
      [
        "FAIRLEAD-IPVS-REFUSE",
        [
          `${to("drop")} -j DROP`,
          `${to("reject")} -j FAIRLEAD-IPVS-REFUSAL`,
          `${to("ways")} -j RETURN`,
          `-p tcp -m set --match-set ${set("health")} dst -j RETURN`,
          // PRX-192: the address is the machine's, but not for its own listeners.
          `-m set --match-set ${set("addresses")} dst -j FAIRLEAD-IPVS-REFUSAL`,
        ],
      ],
      // ICMP errors are rate-limited by the kernel; a reset is not, so TCP clients always hear at once.
      ["FAIRLEAD-IPVS-REFUSAL", ["-p tcp -j REJECT --reject-with tcp-reset", `-j REJECT --reject-with ${icmp}`]],
      [
        "FAIRLEAD-IPVS-UNASSIGNED",
        [`-m set --match-set ${set("addresses")} dst -j RETURN`, `-m set --match-set ${set("ranges")} dst -j DROP`],
      ],
    ],
  };
}

function tableRules(family: IPFamily, node: NodePlan): TableRules {
  const tables = rulesOf(family, node);
  const linesOf = (table: Jump["table"]): string[] => [
    ...chainsOf(table).map((chain) => `:${chain} - [0:0]`),
    ...tables[table].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
  ];
  return { mangle: linesOf("mangle"), nat: linesOf("nat"), filter: linesOf("filter") };
}

/** Pure: the same node gives the same frame. */
export function compileNode(node: NodePlan): IpvsFrame {
  const elements: Element[] = [];
  const last: Element[] = [];
  for (const family of node.families) {
    const podRanges = node.localDetector.by === "ranges" ? node.localDetector.ranges : [];
    for (const key of rangesOf(podRanges, family)) elements.push({ family, set: "pods", key });
    for (const key of new Set(node.nodeAddresses)) {
      if (familyOf(key) === family && inRanges(key, podRanges)) elements.push({ family, set: "own", key });
    }
    for (const key of rangesOf(node.serviceRanges, family)) last.push({ family, set: "ranges", key });
  }
  const rules = Object.fromEntries(node.families.map((family) => [family, tableRules(family, node)]));
  return { families: node.families, rules, elements, last };
}
