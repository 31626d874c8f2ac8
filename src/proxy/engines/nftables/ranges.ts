import { mergeCidr } from "cidr-tools";
import { cidrContains, parseCidr } from "../../../net/cidr.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";

/** As nft lists it: a range of one address is the address. */
export function rangeText(range: string): string {
  const { prefix, family, text } = parseCidr(range);
  return prefix === (family === "IPv4" ? 32 : 128) ? text.split("/")[0]! : text;
}

export const inRanges = (ip: string, ranges: readonly string[]): boolean =>
  ranges.some((range) => cidrContains(parseCidr(range), ip));

/** The ranges of one family, merged: a set of ranges refuses overlaps, and the kernel joins neighbours. */
export const rangesOf = (ranges: readonly string[], family: IPFamily): string[] => {
  const own = ranges.filter((range) => familyOf(range.split("/")[0]!) === family);
  return own.length === 0 ? [] : mergeCidr(own).map(rangeText).toSorted();
};
