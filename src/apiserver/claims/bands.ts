import type { Cidr } from "../../net/cidr.ts";

/** Numbers from `first` to `last`, both included; empty when `last` is smaller. */
export interface Band {
  readonly first: bigint;
  readonly last: bigint;
}

/** Bands to look in, the preferred one first. */
export type Bands = readonly Band[];

export const sizeOf = ({ first, last }: Band): bigint => (last < first ? 0n : last - first + 1n);

const clamp = (value: bigint, minimum: bigint, maximum: bigint): bigint =>
  value < minimum ? minimum : value > maximum ? maximum : value;

/** Sizes up to this have no static band. */
const UNDIVIDED = 16n;

function divide(usable: Band, staticSize: bigint): Bands {
  if (staticSize === 0n) return [usable];
  const cut = usable.first + staticSize;
  return [
    { first: cut, last: usable.last },
    { first: usable.first, last: cut - 1n },
  ];
}

/** The addresses of a range that may be handed out: never the network's own, never IPv4's broadcast (SVC-117, SVC-119). */
export const usableIn = (cidr: Cidr): Band => ({
  first: cidr.first + 1n,
  last: cidr.family === "IPv4" ? cidr.last - 1n : cidr.last,
});

/**
 * Where automatic allocation looks, in order: the upper, dynamic band, then the lower one that people choose their fixed
 * addresses from (SVC-120, SVC-121).
 */
export function addressBands(cidr: Cidr): Bands {
  const size = cidr.last - cidr.first + 1n;
  return divide(usableIn(cidr), size <= UNDIVIDED ? 0n : clamp(size / 16n, 16n, 256n));
}

/** As `addressBands`, for node ports (SVC-146). */
export function portBands(range: { readonly first: number; readonly last: number }): Bands {
  const usable = { first: BigInt(range.first), last: BigInt(range.last) };
  const size = sizeOf(usable);
  return divide(usable, size <= UNDIVIDED ? 0n : clamp(size / 32n, 16n, 128n));
}
