import type { IPFamily } from "../../../net/ip.ts";
import { CANARY } from "./frame.ts";
import { TABLES, type Jump } from "./rules.ts";
import type { KnownChain } from "./state.ts";

/** What one call of iptables-restore changes in one family. */
export interface Change {
  readonly family: IPFamily;
  readonly write: readonly KnownChain[];
  readonly remove: readonly KnownChain[];
  /** Jumps that are missing. */
  readonly jumps: readonly Jump[];
  readonly generation: number;
}

export const generationRule = (generation: number): string => `-m comment --comment "generation ${generation}"`;

const isFrame = (name: string): boolean => name.startsWith("FAIRLEAD-");

/**
 * The text for `iptables-restore --noflush`: each table is one transaction. A chain that is named is emptied first, so
 * what is written holds whatever was there; chains that are not named stay as they are.
 *
 * iptables 1.8.9 (nft) keeps the names it meets in a sorted list that it walks from the front for every line: 10,000
 * Services in any order take minutes. From the last name to the first, each chain with its rules at once, every walk is
 * short; names are such that a chain is there before another leads to it.
 */
export function restoreText({ family, write, remove, jumps, generation }: Change): string {
  const lines: string[] = [];
  for (const table of TABLES) {
    const ofTable = (one: { readonly family: IPFamily; readonly table: string }): boolean =>
      one.family === family && one.table === table;
    const removed = remove.filter(ofTable);
    const missing = jumps.filter(ofTable);
    const empty = removed.map((chain) => ({ ...chain, rules: [] }));
    const named = [...write.filter(ofTable), ...empty].toSorted((one, other) => (one.name < other.name ? 1 : -1));
    if (named.length + missing.length === 0) continue;
    const frame = named.filter(({ name }) => isFrame(name));
    lines.push(`*${table}`, `:${CANARY} - [0:0]`, `-A ${CANARY} ${generationRule(generation)}`);
    for (const { name } of frame) lines.push(`:${name} - [0:0]`);
    for (const { name, rules } of named) {
      if (isFrame(name)) continue;
      lines.push(`:${name} - [0:0]`);
      for (const rule of rules) lines.push(`-A ${name} ${rule}`);
    }
    for (const { name, rules } of frame) for (const rule of rules) lines.push(`-A ${name} ${rule}`);
    // Before the rules of others: a packet that is let through there would not come to ours.
    for (const { from, rule } of missing) lines.push(`-I ${from} ${rule}`);
    for (const { name } of removed) lines.push(`-X ${name}`);
    lines.push("COMMIT");
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** The tables that a change writes to, as keys of `generations`. */
export const tablesOf = ({ family, write, remove, jumps }: Change): string[] =>
  TABLES.filter((table) =>
    [...write, ...remove, ...jumps].some((one) => one.family === family && one.table === table),
  ).map((table) => `${family} ${table}`);
