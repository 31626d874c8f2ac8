/** Somebody who gets a share of the table. `name` alone decides where, so that all who build the table agree. */
export interface MaglevTarget {
  readonly name: string;
  /** Its share beside the others: a whole number, at least 1. */
  readonly weight: number;
}

/**
 * Primes, each about eight times the one before: the fewer sizes, the more rarely growth changes the size, which moves
 * most clients. Ten slots a target keep shares within a tenth of each other.
 */
const SIZES = [251, 2039, 16_381, 65_521] as const;
const SLOTS_EACH = 10;

/** How many slots the table of this many targets has: a prime. */
export const maglevSize = (targets: number): number =>
  SIZES.find((size) => size >= targets * SLOTS_EACH) ?? SIZES.at(-1)!;

/** FNV-1a with a last stir, so that names that differ in one digit differ everywhere. 32 bits. */
function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** A slot of a table of `size` for a client, by its address. */
export const maglevSlot = (client: string, size: number): number => hash(client, 0x5eed) % size;

/**
 * The lookup table of Maglev (Eisenbud et al., NSDI 2016, section 3.4): the name of a target in each of `size` slots.
 * Each target has an order of preference of its own over the slots and takes its next free one when it is its turn; by
 * weight, it has its turn less often. So shares are nearly exact, and when a target goes, hardly any slot but its own
 * changes hands. Pure, whatever the order of the targets; names given twice count once. Each target has a slot as long
 * as there are as many slots as targets. No targets: an empty table.
 */
export function maglevTable(targets: readonly MaglevTarget[], size = maglevSize(targets.length)): string[] {
  const byName = new Map(targets.map((target) => [target.name, target]));
  const order = [...byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  if (order.length === 0) return [];
  const heaviest = Math.max(...order.map(({ weight }) => weight));
  const turns = order.map(({ name, weight }) => ({
    name,
    weight,
    next: hash(name, 1) % size,
    skip: (hash(name, 2) % (size - 1)) + 1,
    due: 0,
  }));
  const table: (string | undefined)[] = Array.from({ length: size });
  let left = size;
  for (let round = 1; ; round++) {
    for (const turn of turns) {
      if (round * turn.weight < turn.due) continue;
      turn.due += heaviest;
      // The size is a prime, so steps of any length come to every slot.
      while (table[turn.next] !== undefined) turn.next = (turn.next + turn.skip) % size;
      table[turn.next] = turn.name;
      if (--left === 0) return table as string[];
    }
  }
}
