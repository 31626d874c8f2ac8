import type { IPFamily } from "../../../net/ip.ts";

export type Table = "nat" | "filter";

/** The tables, in the order in which a change is written: what is translated first, then what is refused. */
export const TABLES: readonly Table[] = ["nat", "filter"];

/** A chain that one writer owns whole. Rules are in the words of iptables-save, without `-A CHAIN`, so that texts can be compared. */
export interface Chain {
  readonly family: IPFamily;
  readonly table: Table;
  readonly name: string;
  readonly rules: readonly string[];
}

/** A rule in a chain to which many contribute: there once, however many want it. */
export interface Entry {
  readonly family: IPFamily;
  readonly table: Table;
  readonly chain: string;
  /** Rules of a lower rank come first; within a rank the order says nothing. One digit. */
  readonly rank: number;
  readonly rule: string;
}

/** A jump from a chain that iptables has by itself, such as PREROUTING, into one of ours. */
export interface Jump {
  readonly family: IPFamily;
  readonly table: Table;
  readonly from: string;
  readonly rule: string;
}

/** Chains of a family's table, told apart from those of the same name elsewhere. */
export const chainKey = (family: IPFamily, table: Table, name: string): string => `${family} ${table} ${name}`;

/** What is ours: no other program's chains begin so. */
export const isOurs = (chain: string): boolean => chain.startsWith("FAIRLEAD-") || chain.startsWith("FL-");

/** One address as a range, which is how iptables-save prints it. */
export const hostRange = (ip: string): string => `${ip}/${ip.includes(":") ? 128 : 32}`;
