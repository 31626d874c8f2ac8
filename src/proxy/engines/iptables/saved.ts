import type { IPFamily } from "../../../net/ip.ts";
import { CANARY } from "./frame.ts";
import { isOurs, type Jump, type Table } from "./rules.ts";
import type { KnownChain } from "./state.ts";

/** What is ours in a text of iptables-save. */
export interface Saved {
  readonly chains: readonly KnownChain[];
  /** Rules of other chains that lead into ours. */
  readonly jumps: readonly Jump[];
  /** The number in the canary; undefined where there is none. */
  readonly generation: number | undefined;
}

/** Reads what iptables-save prints of one table. What is not ours is passed over. */
export function readSaved(text: string, family: IPFamily, table: Table): Saved {
  const chains = new Map<string, string[]>();
  const jumps: Jump[] = [];
  let generation: number | undefined;
  for (const line of text.split("\n")) {
    const declared = /^:(\S+) /.exec(line)?.[1];
    if (declared !== undefined && isOurs(declared)) chains.set(declared, []);
    const added = /^-A (\S+) (.*)$/.exec(line);
    if (added === null) continue;
    const [, name = "", rule = ""] = added;
    if (name === CANARY) generation = Number(/generation (\d+)/.exec(rule)?.[1]);
    else if (isOurs(name)) chains.get(name)?.push(rule);
    else if (isOurs(/-[jg] (\S+)/.exec(rule)?.[1] ?? "")) jumps.push({ family, table, from: name, rule });
  }
  const canary = chains.delete(CANARY);
  return {
    chains: [...chains].map(([name, rules]) => ({ family, table, name, rules })),
    jumps,
    generation: canary ? (generation ?? Number.NaN) : undefined,
  };
}
