import type { Target } from "../../plan/plan.ts";

/** A target among others, by its place in the list. */
export interface Choice {
  /** What must match, in iptables' words; empty where all that is left goes here. */
  readonly match: string;
  /** Its place in the list of targets, or a further chain in which the choice goes on. */
  readonly to: number | string;
}

/** How one of several targets is chosen: rules tried one after the other. */
export interface Chosen {
  readonly rules: readonly Choice[];
  /** Further chains by name. */
  readonly chains: ReadonlyMap<string, readonly Choice[]>;
}

/** As iptables-save prints it: of 31 bits, eleven digits of the decimal fraction, a tie to the even one. */
export function probabilityText(probability: number): string {
  const scaled = BigInt(Math.round(probability * 0x80000000)) * 10n ** 11n;
  let digits = scaled >> 31n;
  const rest = scaled - (digits << 31n);
  if (rest > 1n << 30n || (rest === 1n << 30n && digits % 2n === 1n)) digits++;
  const text = digits.toString().padStart(12, "0");
  return `${text.slice(0, -11)}.${text.slice(-11)}`;
}

/** Each by its share of what the rules before have left; the last takes the rest (PRX-173). */
export function chooseRandom(targets: readonly Pick<Target, "weight">[]): Chosen {
  let left = targets.reduce((sum, { weight }) => sum + weight, 0);
  const rules = targets.map(({ weight }, at): Choice => {
    const probability = weight / left;
    left -= weight;
    const match =
      at === targets.length - 1 ? "" : `-m statistic --mode random --probability ${probabilityText(probability)}`;
    return { match, to: at };
  });
  return { rules, chains: new Map() };
}

/** The most turns in a round: so many rules a list may have. */
const MOST_TURNS = 512;

const gcd = (one: number, other: number): number => (other === 0 ? one : gcd(other, one % other));

/** In which order targets have their turns, each as often as its weight, well mixed. */
export function turnsOf(targets: readonly Pick<Target, "weight">[]): number[] {
  const divisor = targets.reduce((sofar, { weight }) => gcd(sofar, weight), 0);
  const total = targets.reduce((sum, { weight }) => sum + weight / divisor, 0);
  const scale = Math.max(1, total / MOST_TURNS);
  const weights = targets.map(({ weight }) => Math.max(1, Math.round(weight / divisor / scale)));
  const sum = weights.reduce((one, other) => one + other, 0);
  const credit = weights.map(() => 0);
  return Array.from({ length: sum }, () => {
    weights.forEach((weight, at) => (credit[at]! += weight));
    const best = credit.indexOf(Math.max(...credit));
    credit[best]! -= sum;
    return best;
  });
}

/** In turn: each rule counts what reaches it and takes the first of as many as there are turns left. */
export function chooseInTurn(targets: readonly Pick<Target, "weight">[]): Chosen {
  const turns = turnsOf(targets);
  const rules = turns.map((to, at): Choice => {
    const every = turns.length - at;
    return { match: every === 1 ? "" : `-m statistic --mode nth --every ${every} --packet 0`, to };
  });
  return { rules, chains: new Map() };
}

/**
 * The kernel's `cluster` match divides clients among up to 32. But iptables takes no mask of more than 32 in value
 * (seen in 1.8.9), which is any choice of five; the sixth is who is left. So six on a level, and further levels below.
 */
export const WIDTH = 6;

/** Clients are divided by another hash on every level, so that what is below one part is divided evenly again. */
const seedText = (level: number): string => `0x${((0x9e3779b1 * (level + 1)) >>> 0).toString(16).padStart(8, "0")}`;

/** By the hash of the client's address over slots, each of which is a target: six or fewer slots, or a power of six. */
export function chooseByClient(slots: readonly number[], chain: string): Chosen {
  const chains = new Map<string, readonly Choice[]>();
  const choices = (part: readonly number[], level: number, path: string): Choice[] => {
    const width = Math.min(WIDTH, part.length);
    const each = part.length / width;
    const masks = new Map<number | string, number>();
    for (let at = 0; at < width; at++) {
      const piece = part.slice(at * each, (at + 1) * each);
      let to: number | string = piece[0]!;
      if (piece.some((slot) => slot !== piece[0])) {
        to = `${chain}-${path}${at}`;
        chains.set(to, choices(piece, level + 1, `${path}${at}`));
      }
      const mask = (masks.get(to) ?? 0) | (1 << at);
      // Who has the last slot comes last, as the one who needs no mask.
      if (at === width - 1) masks.delete(to);
      masks.set(to, mask);
    }
    const last = masks.size - 1;
    return [...masks].map(([to, mask], at) => {
      const bits = `0x${mask.toString(16).padStart(8, "0")}`;
      const match = `-m cluster --cluster-local-nodemask ${bits} --cluster-total-nodes ${width} --cluster-hash-seed ${seedText(level)}`;
      return { match: at === last ? "" : match, to };
    });
  };
  return { rules: choices(slots, 0, ""), chains };
}

/** The most slots: chains of the levels below have up to four digits in their name. */
const MOST_SLOTS = WIDTH ** 5;

/** Slots in the order of the list: as many as the sum of weights up to six, else so many that shares are within a sixteenth. */
export function slotsInOrder(targets: readonly Pick<Target, "weight">[]): number[] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let size = total;
  if (total > WIDTH) for (size = WIDTH; size < total * 16 && size < MOST_SLOTS;) size *= WIDTH;
  const slots: number[] = [];
  let sofar = 0;
  targets.forEach(({ weight }, at) => {
    sofar += weight;
    const end = Math.round((sofar / total) * size);
    while (slots.length < end) slots.push(at);
  });
  return slots;
}
