import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { NodePlan } from "../../plan/plan.ts";
import { TABLE, TABLE_FAMILY, type Element } from "./elements.ts";
import { inRanges, rangesOf } from "./ranges.ts";
import { rules } from "./rules.ts";
import { clientKey } from "./shape.ts";

/** What belongs to no single Service. */
export interface NftFrame {
  readonly families: readonly IPFamily[];
  /** nft's lines for tables, sets, maps and fixed chains; loading them again changes no element. */
  readonly lines: readonly string[];
  /** Ranges and addresses of the node. */
  readonly elements: readonly Element[];
  /** The ranges of unassigned addresses. They come after all Services, else a first load would drop what is still to come. */
  readonly last: readonly Element[];
}

/** Written to the map `state` under key 1: tables of another layout are not read but replaced. */
export const LAYOUT = 2;

function sets(family: IPFamily): string[] {
  const ip = TABLE_FAMILY[family];
  const type = family === "IPv4" ? "ipv4_addr" : "ipv6_addr";
  const service = `${ip} daddr . meta l4proto . th dport`;
  const port = "meta l4proto . th dport";
  const slot = "meta priority . numgen random mod 2";
  return [
    `map state { type mark : mark; }`,
    ...["fe", "feo"].map((map) => `map ${map} { typeof ${service} : meta priority; }`),
    ...["fer", "feor"].map((map) => `map ${map} { typeof ${service} : meta priority; flags interval; }`),
    ...["np", "npo"].map((map) => `map ${map} { typeof ${port} : meta priority; }`),
    `map shapes { typeof meta priority : verdict; }`,
    ...(["tcp", "udp", "sctp"] as const).flatMap((l4) => [
      `map be${l4[0]} { typeof ${slot} : ${ip} daddr . ${l4} dport; }`,
      `map ep${l4[0]} { typeof meta priority : ${ip} daddr . ${l4} dport; }`,
    ]),
    `map bea { typeof ${slot} : ${ip} daddr; }`,
    `map epa { typeof meta priority : ${ip} daddr; }`,
    `map aslot { typeof ${slot} : meta priority; }`,
    `map aff { typeof ${clientKey(family)} . meta priority : meta priority; size 1048576; flags dynamic,timeout; }`,
    `map borrowed { typeof ct id : meta priority; size 65536; flags dynamic,timeout; }`,
    ...["rej", "drp", "fw_fe"].map((set) => `set ${set} { typeof ${service}; }`),
    ...["rej_np", "drp_np"].map((set) => `set ${set} { typeof ${port}; }`),
    ...["rejr", "drpr", "fw_fer"].map((set) => `set ${set} { typeof ${service}; flags interval; }`),
    ...["fw_allow", "fw_allowr"].map((set) => `set ${set} { typeof ${service} . ${ip} saddr; flags interval; }`),
    `set hairpin { type ${type} . ${type}; }`,
    ...["cluster_ips", "own", "node_ips", "ranged"].map((set) => `set ${set} { type ${type}; }`),
    ...["pods", "svc_cidrs"].map((set) => `set ${set} { type ${type}; flags interval; }`),
  ];
}

const BASE_CHAINS = [
  "fw_pre { type filter hook prerouting priority -110; policy accept; }",
  "fw_out { type filter hook output priority -110; policy accept; }",
  "nat_pre { type nat hook prerouting priority -100; policy accept; }",
  "nat_out { type nat hook output priority -100; policy accept; }",
  "nat_post { type nat hook postrouting priority 100; policy accept; }",
  "f_fwd { type filter hook forward priority 0; policy accept; }",
  "f_in { type filter hook input priority 0; policy accept; }",
  "f_out { type filter hook output priority 0; policy accept; }",
];

/** Type, hook and priority of a chain of ours; undefined for one that is no base chain. */
export const hookOf = (chain: string): string | undefined =>
  /\{ type (\S+) hook (\S+) priority (\S+);/
    .exec(BASE_CHAINS.find((one) => one.startsWith(`${chain} `)) ?? "")
    ?.slice(1)
    .join(" ");

const CHAINS = [
  "fw",
  "outside",
  "ranges_outside",
  "services",
  "ranges",
  "to_mark",
  "pick",
  "refuse_ways",
  "refuse_ranges",
  "refuse",
  "refusal",
  "guard",
];

function lines(family: IPFamily, node: NodePlan): string[] {
  const table = `${TABLE_FAMILY[family]} ${TABLE}`;
  const every = [...BASE_CHAINS.map((chain) => chain.split(" ")[0]!), ...CHAINS];
  return [
    `add table ${table}`,
    ...sets(family).map((set) => `add ${set.replace(" ", ` ${table} `)}`),
    ...CHAINS.map((chain) => `add chain ${table} ${chain}`),
    ...BASE_CHAINS.map((chain) => `add chain ${table} ${chain}`),
    ...every.map((chain) => `flush chain ${table} ${chain}`),
    ...rules(family, node).flatMap(([chain, all]) => all.map((rule) => `add rule ${table} ${chain} ${rule}`)),
  ];
}

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");

/** Pure: the same node gives the same frame. Loopback addresses serve no node ports (PRX-080). */
export function compileNode(node: NodePlan): NftFrame {
  const elements: Element[] = [];
  const last: Element[] = [];
  for (const family of node.families) {
    const ofFamily = (ips: readonly string[]): string[] => ips.filter((ip) => familyOf(ip) === family);
    const podRanges = node.localDetector.by === "ranges" ? node.localDetector.ranges : [];
    for (const key of rangesOf(podRanges, family)) elements.push({ family, set: "pods", key });
    for (const key of new Set(ofFamily(node.nodeAddresses))) {
      if (inRanges(key, podRanges)) elements.push({ family, set: "own", key });
    }
    const nodePortAddresses = node.nodePortAddresses[family];
    for (const key of new Set(nodePortAddresses === "all" ? [] : nodePortAddresses)) {
      if (!isLoopback(key)) elements.push({ family, set: "node_ips", key });
    }
    for (const key of rangesOf(node.serviceRanges, family)) last.push({ family, set: "svc_cidrs", key });
  }
  return { families: node.families, lines: node.families.flatMap((family) => lines(family, node)), elements, last };
}
