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

/** A stretch of the clients' hashes: up to, but not including, `end` of all. */
export interface Stretch {
  readonly to: number;
  readonly end: number;
}

/** The most rules that are tried one after the other; more are found by way of further chains. */
const MOST_RULES = 40;

/** By the client's address, whose hash is in one of `stretches` of `size`. They are in order and the last ends at `size`. */
export function chooseByClient(
  stretches: readonly Stretch[],
  size: number,
  chain: string,
  hashedUpTo: (bound: number) => string,
): Chosen {
  const upTo = (end: number): string => hashedUpTo(Math.floor((end * 2 ** 32) / size) - 1);
  // Who comes to the last rule of a chain has no other place to go.
  const rulesOf = (ends: readonly { readonly to: number | string; readonly end: number }[]): Choice[] =>
    ends.map(({ to, end }, at) => ({ to, match: at === ends.length - 1 ? "" : upTo(end) }));
  if (stretches.length <= MOST_RULES) return { rules: rulesOf(stretches), chains: new Map() };
  const chains = new Map<string, readonly Choice[]>();
  const parts: { to: string; end: number }[] = [];
  const each = Math.ceil(Math.sqrt(stretches.length));
  for (let at = 0; at < stretches.length; at += each) {
    const part = stretches.slice(at, at + each);
    const to = `${chain}-${parts.length}`;
    chains.set(to, rulesOf(part));
    parts.push({ to, end: part.at(-1)!.end });
  }
  return { rules: rulesOf(parts), chains };
}

/** In the order of the list, each by its weight. */
export function stretchesInOrder(targets: readonly Pick<Target, "weight">[]): Stretch[] {
  let end = 0;
  return targets.map(({ weight }, to) => ({ to, end: (end += weight) }));
}

/** Of a table in which each slot is a target. */
export const stretchesOf = (slots: readonly number[]): Stretch[] =>
  slots.map((to, at) => ({ to, end: at + 1 })).filter(({ to }, at) => slots[at + 1] !== to);
