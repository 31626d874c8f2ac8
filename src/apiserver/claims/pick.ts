import type { Cidr } from "../../net/cidr.ts";
import { fromNumber } from "../../net/ip.ts";

/** The addresses of a range that may be given out: never the network's, never the IPv4 broadcast (SVC-117). */
const usable = (range: Cidr): { first: bigint; last: bigint } => ({
  first: range.first + 1n,
  last: range.family === "IPv4" && range.last > range.first ? range.last - 1n : range.last,
});

/** Size of the lower band that automatic allocation leaves to people as long as it can (SVC-120). */
function staticBand(size: bigint): bigint {
  if (size <= 16n) return 0n;
  const sixteenth = size / 16n;
  const least = sixteenth > 16n ? sixteenth : 16n;
  return least > 256n ? 256n : least;
}

function* around(first: bigint, last: bigint, random: number): Generator<bigint> {
  const size = last - first + 1n;
  if (size <= 0n) return;
  const start = BigInt(Math.floor(random * Number(size > 1n << 52n ? 1n << 52n : size)));
  for (let step = 0n; step < size; step++) yield first + ((start + step) % size);
}

/** A free address: from a random point of the upper band round, then from the lower (SVC-121). Undefined when the range is full. */
export function pickAddress(range: Cidr, isTaken: (ip: string) => boolean, random: number): string | undefined {
  const { first, last } = usable(range);
  const band = staticBand(range.last - range.first + 1n);
  const border = first + band;
  for (const number of around(border, last, random)) {
    const ip = fromNumber(number, range.family);
    if (!isTaken(ip)) return ip;
  }
  for (const number of around(first, border - 1n < last ? border - 1n : last, random)) {
    const ip = fromNumber(number, range.family);
    if (!isTaken(ip)) return ip;
  }
  return undefined;
}

/** True for an address that the range may give out. */
export const isUsable = (range: Cidr, number: bigint): boolean => {
  const { first, last } = usable(range);
  return number >= first && number <= last;
};

/** Size of the lower band of node ports (SVC-146). */
const portBand = (size: number): number => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128));

/** A free node port, in the same manner; undefined when all are taken. */
export function pickPort(
  range: { readonly from: number; readonly to: number },
  isTaken: (port: number) => boolean,
  random: number,
): number | undefined {
  const size = range.to - range.from + 1;
  const border = range.from + portBand(size);
  for (const [first, last] of [
    [border, range.to],
    [range.from, border - 1],
  ] as const) {
    const count = last - first + 1;
    const start = Math.floor(random * count);
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count);
      if (!isTaken(port)) return port;
    }
  }
  return undefined;
}
