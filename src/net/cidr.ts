import { familyOf, fromNumber, toNumber, type IPFamily } from "./ip.ts";

/** A range of addresses, `first` with no host bits set. */
export interface Cidr {
  readonly family: IPFamily;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
  /** `10.96.0.0/16` */
  readonly text: string;
}

/** Reads `address/prefix`; bits beyond the prefix are cleared. Throws RangeError for anything else. */
export function parseCidr(text: string): Cidr {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const family = match ? familyOf(match[1]!) : undefined;
  const width = family === "IPv4" ? 32 : 128;
  const prefix = Number(match?.[2]);
  if (match === null || family === undefined || prefix > width || String(prefix) !== match[2]) {
    throw new RangeError(
      `reading a range of addresses: ${JSON.stringify(text)} is not ADDRESS/PREFIX, such as 10.96.0.0/16`,
    );
  }
  const size = 1n << BigInt(width - prefix);
  const number = toNumber(match[1]!);
  const first = number - (number % size);
  return { family, first, last: first + size - 1n, prefix, text: `${fromNumber(first, family)}/${prefix}` };
}

export const cidrContains = (cidr: Cidr, ip: string): boolean => {
  if (familyOf(ip) !== cidr.family) return false;
  const number = toNumber(ip);
  return number >= cidr.first && number <= cidr.last;
};

export const cidrsOverlap = (one: Cidr, other: Cidr): boolean =>
  one.family === other.family && one.first <= other.last && other.first <= one.last;

/** The address `offset` places after the network address: `addressAt(10.96.0.0/16, 10n)` is 10.96.0.10. */
export const addressAt = (cidr: Cidr, offset: bigint): string => fromNumber(cidr.first + offset, cidr.family);
