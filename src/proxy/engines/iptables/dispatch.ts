import { toNumber, type IPFamily } from "../../../net/ip.ts";
import type { Entry, Table } from "./rules.ts";

/**
 * Where a packet's Service is found. A list of all Services would cost a packet, and a change, as much as there are
 * Services. So the last twelve bits of the address choose among 4,096 short lists, four bits at a time: a packet is
 * compared with at most 48 rules, then with the Services whose address ends in the same three hexadecimal digits. Ports
 * of the node are found by blocks of 256 and of 16. A chain's name says what it is for: all to addresses that end in
 * `1a0` are in `FL-DA-0a1`, the last digit first; TCP to ports 0x7530 … 0x753f in `FL-DP-T-753`.
 */
export interface Tree {
  readonly table: Table;
  /** The chain it begins in. */
  readonly root: string;
}

export const ADDRESS_TREE: Tree = { table: "nat", root: "FL-DA" };
export const PORT_TREE: Tree = { table: "nat", root: "FL-DP" };
/** What is refused or dropped unless it was translated. */
export const REFUSED_ADDRESS_TREE: Tree = { table: "filter", root: "FL-BA" };
export const REFUSED_PORT_TREE: Tree = { table: "filter", root: "FL-BP" };

const LEVELS = [0, 1, 2] as const;

/** What ends in these digits: `-d 0.0.0.32/0.0.0.240`, `-d ::20/::f0`. */
function suffixMatch(family: IPFamily, digit: number, level: number): string {
  const [value, mask] = [digit << (4 * level), 0xf << (4 * level)];
  if (family === "IPv6") {
    const text = (bits: number): string => (bits === 0 ? "::" : `::${bits.toString(16)}`);
    return `-d ${text(value)}/${text(mask)}`;
  }
  return `-d 0.0.${value >> 8}.${value & 0xff}/0.0.${mask >> 8}.${mask & 0xff}`;
}

/** The way to the list of an address, and the rule in it. */
export function addressEntries(
  tree: Tree,
  family: IPFamily,
  ip: string,
  rule: { readonly rank: number; readonly rule: string },
): Entry[] {
  const digits = Number(toNumber(ip) & 0xfffn);
  const entries: Entry[] = [];
  let chain = tree.root;
  let digitsSoFar = "";
  for (const level of LEVELS) {
    const digit = (digits >> (4 * level)) & 0xf;
    digitsSoFar += digit.toString(16);
    const next = `${tree.root}-${digitsSoFar}`;
    const step = `${suffixMatch(family, digit, level)} -g ${next}`;
    entries.push({ family, table: tree.table, chain, rank: 0, rule: step });
    chain = next;
  }
  entries.push({ family, table: tree.table, chain, ...rule });
  return entries;
}

/** The way to the list of a port of the node, and the rule in it. */
export function portEntries(
  tree: Tree,
  family: IPFamily,
  protocol: "tcp" | "udp" | "sctp",
  port: number,
  rule: string,
): Entry[] {
  const entries: Entry[] = [];
  let chain = tree.root;
  for (const bits of [8, 4]) {
    const block = port >> bits;
    const next = `${tree.root}-${protocol[0]!.toUpperCase()}-${block.toString(16)}`;
    const range = `${block << bits}:${((block + 1) << bits) - 1}`;
    const step = `-p ${protocol} -m ${protocol} --dport ${range} -g ${next}`;
    entries.push({ family, table: tree.table, chain, rank: 0, rule: step });
    chain = next;
  }
  entries.push({ family, table: tree.table, chain, rank: 0, rule });
  return entries;
}
