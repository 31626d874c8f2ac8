import { parseCidr } from "./cidr.ts";
import { canonicalIP, familyOf, fromNumber, toNumber, type IPFamily } from "./ip.ts";

/** Addresses from `first` to `last`, both in it. */
export interface AddressRange {
  readonly family: IPFamily;
  readonly first: bigint;
  readonly last: bigint;
  /** As it was written. */
  readonly text: string;
}

/** Reads `ADDRESS/PREFIX`, `ADDRESS-ADDRESS` or one `ADDRESS`. Throws RangeError for anything else. */
export function parseAddressRange(text: string): AddressRange {
  if (text.includes("/")) {
    const { family, first, last } = parseCidr(text);
    return { family, first, last, text };
  }
  const [from = "", to = from, ...more] = text.split("-");
  const family = familyOf(from);
  if (family === undefined || familyOf(to) !== family || more.length > 0 || toNumber(from) > toNumber(to)) {
    throw new RangeError(
      `reading a range of addresses: ${JSON.stringify(text)} is not ADDRESS/PREFIX, FIRST-LAST or one ADDRESS, such as 10.97.0.0/24 or 192.168.1.240-192.168.1.250`,
    );
  }
  return { family, first: toNumber(from), last: toNumber(to), text };
}

export const rangeContains = (range: AddressRange, ip: string): boolean => {
  if (familyOf(ip) !== range.family) return false;
  const number = toNumber(ip);
  return number >= range.first && number <= range.last;
};

export const rangesOverlap = (one: AddressRange, other: AddressRange): boolean =>
  one.family === other.family && one.first <= other.last && other.first <= one.last;

/** The fewest CIDRs that hold just these addresses, in order. */
export function cidrsOf({ family, first, last }: AddressRange): string[] {
  const width = family === "IPv4" ? 32 : 128;
  const cidrs: string[] = [];
  for (let at = first; at <= last;) {
    let bits = 0;
    // As large as its alignment and the end allow.
    while (bits < width && at % (2n << BigInt(bits)) === 0n && at + (2n << BigInt(bits)) - 1n <= last) bits += 1;
    cidrs.push(`${canonicalIP(fromNumber(at, family))}/${width - bits}`);
    at += 1n << BigInt(bits);
  }
  return cidrs;
}
