import { cidrContains, parseCidr } from "../../../net/cidr.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { NodePlan } from "../../plan/plan.ts";
import { callsItself } from "./bpf.ts";
import { ADDRESS_TREE, PORT_TREE, REFUSED_ADDRESS_TREE, REFUSED_PORT_TREE, type Tree } from "./dispatch.ts";
import { rangesOf } from "./ranges.ts";
import { hostRange, TABLES, type Chain, type Jump } from "./rules.ts";

/** Sets the mark by which a packet's source is hidden on its way out. */
export const MARK = "FAIRLEAD-MARK";
/** The same, but only for who is no pod of this node. */
export const TO_STRANGERS = "FAIRLEAD-MARK-STRANGERS";
/** Answers that there is nobody. */
export const REFUSAL = "FAIRLEAD-REFUSAL";
export const DROP = "-j DROP";
/** Holds the number of the last change; whoever empties the tables takes it away (PRX-178). */
export const CANARY = "FAIRLEAD-CANARY";

/** What belongs to no single Service. */
export interface IptFrame {
  readonly families: readonly IPFamily[];
  readonly chains: readonly Chain[];
  /** Chains in which all Services have rules; there though they are empty. */
  readonly roots: readonly { readonly family: IPFamily; readonly tree: Tree }[];
  readonly jumps: readonly Jump[];
  /** Whether packets from 127.0.0.1 may be sent to other machines: node ports on it need this. */
  readonly routeLocalnet: boolean;
}

/** What the node decides once and for all, beside its plan. */
export interface FrameOptions {
  /** Packets that belong to no connection are let through (PRX-245): conntrack may be mistaken about windows. */
  readonly tcpBeLiberal?: boolean;
}

const hexMark = (node: NodePlan): string => `0x${((1 << node.masqueradeBit) >>> 0).toString(16)}`;

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");

/** Matches of who is a pod of this node; none where that cannot be known (PRX-040, PRX-060). */
export function podMatches(node: NodePlan, family: IPFamily): string[] {
  const { localDetector } = node;
  switch (localDetector.by) {
    case "ranges":
      return rangesOf(localDetector.ranges, family).map((range) => `-s ${range}`);
    case "interface":
      return [`-i ${localDetector.name}`];
    case "interface-prefix":
      return [`-i ${localDetector.prefix}+`];
  }
}

/** Whether node ports are to answer on 127.0.0.1 (PRX-081). */
function servesLoopback(node: NodePlan): boolean {
  const addresses = node.nodePortAddresses.IPv4;
  const included = addresses === "all" || addresses.some(isLoopback);
  return node.localhostNodePorts && node.families.includes("IPv4") && included;
}

/** Matches of addresses on which node ports answer (PRX-077, PRX-174). */
function nodePortMatches(node: NodePlan, family: IPFamily): string[] {
  const addresses = node.nodePortAddresses[family];
  const loopback = family === "IPv4" && servesLoopback(node);
  if (addresses === "all") {
    const but = family === "IPv6" ? "! -d ::1/128 " : loopback ? "" : "! -d 127.0.0.0/8 ";
    return [`${but}-m addrtype --dst-type LOCAL`];
  }
  const served = [...new Set(addresses)].filter((ip) => !isLoopback(ip) || loopback);
  return served.map((ip) => `-d ${hostRange(ip)}`);
}

/** PRX-060: without a detector nothing to a clusterIP is masqueraded; PRX-061: or all of it, when so set. */
function strangers(node: NodePlan, family: IPFamily): string[] {
  if (node.masqueradeAll) return [`-j ${MARK}`];
  const pods = podMatches(node, family);
  if (pods.length === 0) return [];
  const ranges = node.localDetector.by === "ranges" ? rangesOf(node.localDetector.ranges, family) : [];
  // Own addresses that look like pods' are the node (PRX-062 is about addresses that are not ours).
  const own = new Set(
    node.nodeAddresses.filter(
      (ip) => familyOf(ip) === family && ranges.some((range) => cidrContains(parseCidr(range), ip)),
    ),
  );
  return [
    ...[...own].map((ip) => `-s ${hostRange(ip)} -g ${MARK}`),
    ...pods.map((match) => `${match} -j RETURN`),
    `-j ${MARK}`,
  ];
}

function natChains(node: NodePlan, family: IPFamily): [name: string, rules: string[]][] {
  const mark = hexMark(node);
  const masquerade = "-j MASQUERADE --random-fully";
  return [
    [
      "FAIRLEAD-SERVICES",
      [`-j ${ADDRESS_TREE.root}`, ...nodePortMatches(node, family).map((match) => `${match} -j ${PORT_TREE.root}`)],
    ],
    [MARK, [`-j MARK --set-xmark ${mark}/${mark}`]],
    [TO_STRANGERS, strangers(node, family)],
    [
      "FAIRLEAD-POSTROUTING",
      [
        `-m mark --mark ${mark}/${mark} -g FAIRLEAD-MASQUERADE`,
        `-m conntrack --ctstate DNAT ${callsItself(family)} ${masquerade}`,
      ],
    ],
    // The mark is taken off, or a packet that is wrapped in another would have it still and be masqueraded twice (PRX-065).
    ["FAIRLEAD-MASQUERADE", [`-j MARK --set-xmark ${mark}/0x0`, masquerade]],
  ];
}

function filterChains(node: NodePlan, family: IPFamily, options: FrameOptions): [name: string, rules: string[]][] {
  const mark = hexMark(node);
  const untranslated = "-m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT -j FAIRLEAD-REFUSE";
  // PRX-176: what route_localnet lets in must not reach what listens on 127.0.0.1 only.
  const firewall =
    family === "IPv4" && servesLoopback(node)
      ? ["! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"]
      : [];
  const prefix = node.forwardOnly?.interfacePrefix;
  return [
    ["FAIRLEAD-INPUT", [...firewall, untranslated]],
    ["FAIRLEAD-OUTPUT", [...firewall, untranslated]],
    [
      "FAIRLEAD-FORWARD",
      [
        // PRX-175: an answer that conntrack takes for a stray would go out untranslated, and its client would reset.
        ...(options.tcpBeLiberal === true ? [] : ["-m conntrack --ctstate INVALID -j DROP"]),
        untranslated,
        ...(prefix === undefined ? [] : [`! -i ${prefix}+ ! -o ${prefix}+ -m conntrack ! --ctstate DNAT -j DROP`]),
        `-m mark --mark ${mark}/${mark} -j ACCEPT`,
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      ],
    ],
    [
      "FAIRLEAD-REFUSE",
      [
        `-j ${REFUSED_ADDRESS_TREE.root}`,
        ...nodePortMatches(node, family).map((match) => `${match} -j ${REFUSED_PORT_TREE.root}`),
        // An address of a Service range that has no Service is silence.
        ...rangesOf(node.serviceRanges, family).map((range) => `-d ${range} ${DROP}`),
      ],
    ],
    // ICMP errors are rate-limited by the kernel; a reset is not, so TCP clients always hear at once.
    [
      REFUSAL,
      [
        "-p tcp -j REJECT --reject-with tcp-reset",
        `-j REJECT --reject-with ${family === "IPv4" ? "icmp" : "icmp6"}-port-unreachable`,
      ],
    ],
  ];
}

const JUMPS: readonly Omit<Jump, "family">[] = [
  { table: "nat", from: "PREROUTING", rule: "-j FAIRLEAD-SERVICES" },
  { table: "nat", from: "OUTPUT", rule: "-j FAIRLEAD-SERVICES" },
  { table: "nat", from: "POSTROUTING", rule: "-j FAIRLEAD-POSTROUTING" },
  { table: "filter", from: "INPUT", rule: "-j FAIRLEAD-INPUT" },
  { table: "filter", from: "FORWARD", rule: "-j FAIRLEAD-FORWARD" },
  { table: "filter", from: "OUTPUT", rule: "-j FAIRLEAD-OUTPUT" },
];

/** Pure: the same node gives the same frame. */
export function compileNode(node: NodePlan, options: FrameOptions = {}): IptFrame {
  const chainsOf = (family: IPFamily): Chain[] => {
    const rules = { nat: natChains(node, family), filter: filterChains(node, family, options) };
    return TABLES.flatMap((table) => rules[table].map(([name, all]) => ({ family, table, name, rules: all })));
  };
  const trees = [ADDRESS_TREE, PORT_TREE, REFUSED_ADDRESS_TREE, REFUSED_PORT_TREE];
  return {
    families: node.families,
    chains: node.families.flatMap(chainsOf),
    roots: node.families.flatMap((family) => trees.map((tree) => ({ family, tree }))),
    jumps: node.families.flatMap((family) => JUMPS.map((jump) => ({ ...jump, family }))),
    routeLocalnet: servesLoopback(node),
  };
}
