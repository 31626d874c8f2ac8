import { mergeCidr } from "cidr-tools";
import type { Service } from "../../api/generated/types.ts";
import { parseCidr } from "../../net/cidr.ts";
import type { IPFamily } from "../../net/ip.ts";
import { readAddress } from "../../net/address.ts";
import type { Complaints } from "./complaints.ts";

/** A range as objects may spell it, in our form; undefined for what is none. */
function readRange(
  text: string,
): { readonly family: IPFamily; readonly prefix: number; readonly text: string } | undefined {
  const slash = text.lastIndexOf("/");
  const address = readAddress(text.slice(0, Math.max(slash, 0)));
  if (address === undefined) return undefined;
  try {
    return parseCidr(`${address.ip}${text.slice(slash)}`);
  } catch {
    return undefined;
  }
}

/** Merging many ranges costs milliseconds, and they change far less often than endpoints. Objects are never changed, only replaced. */
const merged = new WeakMap<readonly string[], Map<IPFamily, readonly string[] | undefined>>();

/** PRX-088, PRX-089, PRX-095: undefined is no filtering. Merged, because sets of ranges refuse overlaps. */
export function sourceRangesOf(service: Service, family: IPFamily, told: Complaints): readonly string[] | undefined {
  const given = service.spec?.loadBalancerSourceRanges;
  if (!given?.length) return undefined;
  const ranges: string[] = [];
  let everybody = false;
  for (const text of given) {
    const range = readRange(text.trim());
    if (range === undefined && text.trim() !== "") {
      told.add(
        `loadBalancerSourceRanges has ${JSON.stringify(text)}, which should be ADDRESS/PREFIX such as 10.0.0.0/8; it is left out`,
        "sources",
      );
    }
    if (range?.family !== family) continue;
    everybody ||= range.prefix === 0;
    ranges.push(range.text);
  }
  if (everybody || ranges.length === 0) return undefined;
  if (ranges.length === 1) return ranges;
  let known = merged.get(given);
  if (known === undefined) merged.set(given, (known = new Map()));
  if (!known.has(family)) known.set(family, mergeCidr(ranges).toSorted());
  return known.get(family);
}
