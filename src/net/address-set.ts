import { parseCidr } from "./cidr.ts";
import { familyOf, toNumber } from "./ip.ts";

/** Which addresses are in some ranges; made once, and asked for every request. */
export interface AddressSet {
  readonly isEmpty: boolean;
  /** False for what is no address. IPv4 in IPv6's clothes (`::ffff:10.1.2.3`) is IPv4; a zone (`%eth0`) does not count. */
  has(address: string): boolean;
}

interface Interval<T> {
  readonly first: T;
  last: T;
}

const MAPPED = 0xffff_0000_0000n;

/** IPv4 as a number; undefined for what is not exactly four decimal bytes. */
function four(text: string): number | undefined {
  let value = 0;
  let byte = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      if (byte < 0 || ++dots > 3) return undefined;
      value = value * 256 + byte;
      byte = -1;
    } else if (code >= 48 && code <= 57) {
      // No zeros in front: some read them as octal.
      if (byte === 0) return undefined;
      byte = (byte < 0 ? 0 : byte) * 10 + code - 48;
      if (byte > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && byte >= 0 ? value * 256 + byte : undefined;
}

/** Apart and in order. */
function merged<T extends number | bigint>(intervals: readonly Interval<T>[]): Interval<T>[] {
  const result: Interval<T>[] = [];
  for (const { first, last } of intervals.toSorted((one, other) => (one.first < other.first ? -1 : 1))) {
    const before = result.at(-1);
    if (before === undefined || before.last < first) result.push({ first, last });
    else if (before.last < last) before.last = last;
  }
  return result;
}

function within<T extends number | bigint>(intervals: readonly Interval<T>[], value: T): boolean {
  let low = 0;
  let high = intervals.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const { first, last } = intervals[middle]!;
    if (value < first) high = middle - 1;
    else if (value > last) low = middle + 1;
    else return true;
  }
  return false;
}

/** An address without its zone, and without IPv6's clothes where it is IPv4. What is no address stays as it is. */
export function bareAddress(text: string): string {
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
  return /^::ffff:\d/i.test(address) && four(address.slice(7)) !== undefined ? address.slice(7) : address;
}

/** Compiles CIDRs; one address alone is a range, too. Throws RangeError for anything else. */
export function addressSet(cidrs: readonly string[]): AddressSet {
  const fours: Interval<number>[] = [];
  const sixes: Interval<bigint>[] = [];
  for (const text of cidrs) {
    const range = parseCidr(text.includes("/") ? text : `${text}/${familyOf(text) === "IPv4" ? 32 : 128}`);
    if (range.family === "IPv4") fours.push({ first: Number(range.first), last: Number(range.last) });
    else if (range.first >= MAPPED && range.last <= MAPPED + 0xffff_ffffn) {
      fours.push({ first: Number(range.first - MAPPED), last: Number(range.last - MAPPED) });
    } else {
      // `::/0` holds IPv6 alone: somebody who means all addresses says 0.0.0.0/0 as well.
      sixes.push({ first: range.first, last: range.last });
    }
  }
  const of4 = merged(fours);
  const of6 = merged(sixes);
  return {
    isEmpty: cidrs.length === 0,
    has(address) {
      const value = four(address);
      if (value !== undefined) return within(of4, value);
      if (!address.includes(":")) return false;
      const bare = bareAddress(address);
      const mapped = four(bare);
      if (mapped !== undefined) return within(of4, mapped);
      if (familyOf(bare) !== "IPv6") return false;
      const number = toNumber(bare);
      return number >> 32n === 0xffffn ? within(of4, Number(number & 0xffff_ffffn)) : within(of6, number);
    },
  };
}
