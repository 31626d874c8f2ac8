import type { IPFamily } from "../../../net/ip.ts";
import type { IptPart } from "./compile.ts";
import type { IptFrame } from "./frame.ts";
import { chainKey, type Chain, type Entry, type Jump, type Table } from "./rules.ts";

/** A chain as the kernel has it, or as it shall be. */
export interface KnownChain {
  readonly family: IPFamily;
  readonly table: Table;
  readonly name: string;
  readonly rules: readonly string[];
}

interface SharedChain {
  readonly family: IPFamily;
  readonly table: Table;
  readonly name: string;
  isRoot: boolean;
  /** How many want a rule; the key is its rank and the rule. */
  readonly rules: Map<string, number>;
}

export const jumpKey = ({ family, table, from, rule }: Jump): string => `${chainKey(family, table, from)} ${rule}`;

/** What the kernel holds of ours, and what is wanted. `held` changes only when iptables-restore has said yes. */
export class IptState {
  /** Chains by key, as the kernel has them; the canary is not among them. */
  readonly held = new Map<string, KnownChain>();
  readonly jumps = new Set<string>();
  /** The number in each canary, by family and table: `IPv4 nat`. */
  readonly generations = new Map<string, number>();
  /** How many rules the last round wrote, by family and table. */
  readonly lastWritten = new Map<string, number>();
  /** Whether route_localnet is on because we turned it on. */
  turnedLocalnetOn = false;
  /** The largest number in use; grows with every change. */
  counter = 0;
  frame: IptFrame | undefined;
  readonly parts = new Map<string, IptPart>();
  readonly #own = new Map<string, Chain>();
  readonly #shared = new Map<string, SharedChain>();
  /** Chains whose wish may differ from what is held. */
  readonly #touched = new Set<string>();

  setFrame(frame: IptFrame): void {
    for (const chain of this.frame?.chains ?? []) this.#give(chain, undefined);
    for (const { family, tree } of this.frame?.roots ?? []) this.#shareOf(family, tree.table, tree.root).isRoot = false;
    for (const chain of frame.chains) this.#give(chain, chain);
    for (const { family, tree } of frame.roots) {
      this.#shareOf(family, tree.table, tree.root).isRoot = true;
      this.#touched.add(chainKey(family, tree.table, tree.root));
    }
    this.frame = frame;
  }

  setPart(key: string, part: IptPart | undefined): void {
    const was = this.parts.get(key);
    for (const chain of was?.chains ?? []) this.#give(chain, undefined);
    for (const chain of part?.chains ?? []) this.#give(chain, chain);
    for (const entry of was?.entries ?? []) this.#count(entry, -1);
    for (const entry of part?.entries ?? []) this.#count(entry, 1);
    if (part === undefined) this.parts.delete(key);
    else this.parts.set(key, part);
  }

  #give({ family, table, name }: Chain, chain: Chain | undefined): void {
    const key = chainKey(family, table, name);
    if (chain === undefined) this.#own.delete(key);
    else this.#own.set(key, chain);
    this.#touched.add(key);
  }

  #shareOf(family: IPFamily, table: Table, name: string): SharedChain {
    const key = chainKey(family, table, name);
    let chain = this.#shared.get(key);
    if (chain === undefined) {
      chain = { family, table, name, isRoot: false, rules: new Map() };
      this.#shared.set(key, chain);
    }
    return chain;
  }

  #count({ family, table, chain, rank, rule }: Entry, by: 1 | -1): void {
    const { rules } = this.#shareOf(family, table, chain);
    const name = `${rank}${rule}`;
    const count = (rules.get(name) ?? 0) + by;
    if (count > 0) rules.set(name, count);
    else rules.delete(name);
    this.#touched.add(chainKey(family, table, chain));
  }

  /** What is wanted of a chain now; undefined: that it is not there. */
  #wanted(key: string): KnownChain | undefined {
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    const shared = this.#shared.get(key);
    if (shared === undefined) return undefined;
    if (shared.rules.size === 0 && !shared.isRoot) {
      this.#shared.delete(key);
      return undefined;
    }
    const { family, table, name, rules } = shared;
    return { family, table, name, rules: [...rules.keys()].toSorted().map((rule) => rule.slice(1)) };
  }

  /** All chains that are wanted now, by key. */
  wanted(): Map<string, KnownChain> {
    const keys = [...this.#own.keys(), ...this.#shared.keys()];
    return new Map(keys.map((key) => [key, this.#wanted(key)]).filter((one): one is [string, KnownChain] => !!one[1]));
  }

  /** What is to be written: chains that differ, and chains that go. `all`: what is held is looked through for what nobody wants. */
  differences(all: boolean): { readonly write: KnownChain[]; readonly remove: KnownChain[] } {
    const write: KnownChain[] = [];
    const remove: KnownChain[] = [];
    const keys = all ? new Set([...this.#touched, ...this.held.keys()]) : this.#touched;
    for (const key of keys) {
      const wanted = this.#wanted(key);
      const held = this.held.get(key);
      if (wanted === undefined) {
        if (held !== undefined) remove.push(held);
      } else if (held === undefined || !sameRules(wanted.rules, held.rules)) write.push(wanted);
    }
    return { write, remove };
  }

  /** The kernel has taken what `differences` said. */
  settle(write: readonly KnownChain[], remove: readonly KnownChain[]): void {
    this.lastWritten.clear();
    for (const chain of write) {
      const { family, table, name, rules } = chain;
      this.held.set(chainKey(family, table, name), chain);
      const key = `${family} ${table}`;
      this.lastWritten.set(key, (this.lastWritten.get(key) ?? 0) + rules.length);
    }
    for (const { family, table, name } of remove) this.held.delete(chainKey(family, table, name));
    this.#touched.clear();
  }
}

const sameRules = (one: readonly string[], other: readonly string[]): boolean =>
  one === other || (one.length === other.length && one.every((rule, at) => rule === other[at]));
