import { mergeCidr } from "cidr-tools";
import { cidrContains, parseCidr } from "../../../net/cidr.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";

/** As ipset lists it: a range of one address is the address. */
export function rangeText(range: string): string {
  const { prefix, family, text } = parseCidr(range);
  return prefix === (family === "IPv4" ? 32 : 128) ? text.split("/")[0]! : text;
}

export const inRanges = (ip: string, ranges: readonly string[]): boolean =>
  ranges.some((range) => cidrContains(parseCidr(range), ip));

/** The ranges of one family, merged. A set takes no range of everything: its two halves stand for it. */
export function rangesOf(ranges: readonly string[], family: IPFamily): string[] {
  const own = ranges.filter((range) => familyOf(range.split("/")[0]!) === family);
  const halves = family === "IPv4" ? ["0.0.0.0/1", "128.0.0.0/1"] : ["::/1", "8000::/1"];
  if (own.length === 0) return [];
  return mergeCidr(own)
    .flatMap((range) => (parseCidr(range).prefix === 0 ? halves : [rangeText(range)]))
    .toSorted();
}
