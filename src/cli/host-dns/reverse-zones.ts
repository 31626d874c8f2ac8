import { parseCidr } from "../../net/cidr.ts";

/**
 * The zones in which the reverse names of a range are (RFC 1035 §3.5, RFC 3596 §2.5): the fewest that hold all of it and nothing else. A range that
 * ends within a label has one for each value of it, 128 at most.
 */
export function reverseZones(range: string): string[] {
  const cidr = parseCidr(range);
  const [bits, apex] = cidr.family === "IPv4" ? [8, "in-addr.arpa"] : [4, "ip6.arpa"];
  const width = cidr.family === "IPv4" ? 32 : 128;
  const labels = Math.ceil(cidr.prefix / bits);
  const step = 1n << BigInt(width - labels * bits);
  const count = 2 ** (labels * bits - cidr.prefix);
  return Array.from({ length: count }, (_, at) => {
    const address = cidr.first + BigInt(at) * step;
    const digits = Array.from({ length: labels }, (__, label) => {
      const value = (address >> BigInt(width - (label + 1) * bits)) & ((1n << BigInt(bits)) - 1n);
      return value.toString(bits === 8 ? 10 : 16);
    });
    return [...digits.toReversed(), apex].join(".");
  });
}
