import { sizeOf, type Band, type Bands } from "./bands.ts";

export interface Search {
  readonly bands: Bands;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  /** Numbers believed to be taken. Only a hint: it saves reads, and is never what decides. Filled in as more is learnt. */
  readonly hint: Set<bigint>;
  /** Numbers that this very request has its own use for. */
  readonly excluded: ReadonlySet<bigint>;
  /** Whether a number is taken in truth. */
  isTaken(number: bigint): Promise<boolean>;
  /** All that is taken in truth: one read, but a long one. */
  readTaken(): Promise<Iterable<bigint>>;
}

/** So many wrong guesses, and it is cheaper to read all that is taken. */
const GUESSES = 8;

/** A whole number below `below`, even where 53 bits are not enough (an IPv6 /64). */
function randomBelow(below: bigint, random: () => number): bigint {
  const word = (): bigint => BigInt(Math.floor(random() * 0x1_0000_0000));
  return ((word() << 32n) | word()) % below;
}

/** From a random start upwards, wrapping round; ends at the latest after as many steps as there are known ones, plus one. */
function freeIn(band: Band, { random, hint, excluded }: Search): bigint | undefined {
  const size = sizeOf(band);
  if (size === 0n) return undefined;
  const start = randomBelow(size, random);
  for (let step = 0n; step < size; step++) {
    const number = band.first + ((start + step) % size);
    if (!hint.has(number) && !excluded.has(number)) return number;
  }
  return undefined;
}

function candidateOf(search: Search): bigint | undefined {
  for (const band of search.bands) {
    const found = freeIn(band, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * A number that nobody holds, or undefined when there is none. Costs one read in a range with room, and a bounded number of
 * reads in a full one, however large the range.
 */
export async function findFree(search: Search): Promise<bigint | undefined> {
  const { hint } = search;
  let isHintTrue = false;
  const learn = async (): Promise<void> => {
    const taken = await search.readTaken();
    hint.clear();
    for (const number of taken) hint.add(number);
    isHintTrue = true;
  };
  for (let guess = 1; ; guess++) {
    const candidate = candidateOf(search);
    if (candidate === undefined) {
      if (isHintTrue) return undefined;
      await learn();
      continue;
    }
    if (!(await search.isTaken(candidate))) return candidate;
    hint.add(candidate);
    if (guess === GUESSES) await learn();
  }
}
