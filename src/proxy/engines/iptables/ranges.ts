import { mergeCidr } from "cidr-tools";
import { parseCidr } from "../../../net/cidr.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";

/** The ranges of one family, merged, in the form in which iptables-save prints them. */
export function rangesOf(ranges: readonly string[], family: IPFamily): string[] {
  const own = ranges.filter((range) => familyOf(range.split("/")[0]!) === family);
  if (own.length === 0) return [];
  return mergeCidr(own)
    .map((range) => parseCidr(range).text)
    .toSorted();
}
