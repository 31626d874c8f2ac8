import { parseAddressRange, rangesOverlap, type AddressRange } from "../net/addressRange.ts";
import type { IPFamily } from "../net/ip.ts";
import { UsageError } from "./failure.ts";
import type { Flags } from "./flags.ts";

/** Addresses for Services of type LoadBalancer, for one class or for those without. JSON. */
export interface LoadBalancerRanges {
  readonly loadBalancerClass?: string;
  /** Each `ADDRESS/PREFIX`, `FIRST-LAST` or one address. */
  readonly ranges: readonly string[];
}

export const LOAD_BALANCER_FLAGS = {
  "load-balancer-range": {
    type: "string",
    multiple: true,
    value: "[CLASS=]RANGE[,RANGE]",
    help: "addresses of Services of type LoadBalancer, or none (10.97.0.0/24,fd00:10:97::/112); may be given several times",
  },
} as const satisfies Flags;

/** Nobody asked for these: where a route of the host overlaps them, the start fails and names the flag. */
const USUAL = ["10.97.0.0/24", "fd00:10:97::/112"];

const CLASS = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

function readRange(text: string): AddressRange {
  try {
    return parseAddressRange(text);
  } catch (error) {
    throw new UsageError(`--load-balancer-range: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads the flag. `taken` are ranges that mean something else already. Throws UsageError. */
export function loadBalancerRanges(
  given: readonly string[] | undefined,
  families: readonly IPFamily[],
  taken: readonly { readonly flag: string; readonly range: AddressRange }[],
): LoadBalancerRanges[] {
  const words = given ?? USUAL.filter((text) => families.includes(readRange(text).family));
  if (words.length === 1 && words[0] === "none") return [];
  const byClass = new Map<string, string[]>();
  const seen: AddressRange[] = [];
  for (const word of words) {
    const [left = "", right] = word.split("=");
    const [name, list] = right === undefined ? ["", left] : [left, right];
    if (right !== undefined && !CLASS.test(name)) {
      throw new UsageError(
        `--load-balancer-range: ${JSON.stringify(name)} is no loadBalancerClass; it is a label-like name such as example.com/internal`,
      );
    }
    for (const text of list.split(",").map((part) => part.trim())) {
      const range = readRange(text);
      if (!families.includes(range.family)) {
        throw new UsageError(`--load-balancer-range: ${text} is ${range.family}, which no range of Services here is`);
      }
      const other = taken.find((one) => rangesOverlap(one.range, range));
      if (other !== undefined) {
        throw new UsageError(`--load-balancer-range ${text} and --${other.flag} ${other.range.text} overlap`);
      }
      const twice = seen.find((one) => rangesOverlap(one, range));
      if (twice !== undefined) {
        throw new UsageError(
          `--load-balancer-range: ${twice.text} and ${text} overlap; an address is in one range only`,
        );
      }
      seen.push(range);
      byClass.set(name, [...(byClass.get(name) ?? []), text]);
    }
  }
  return [...byClass].map(([name, ranges]) => ({ ...(name === "" ? {} : { loadBalancerClass: name }), ranges }));
}

/** The ranges that were chosen for the user and not by them. */
export const usualRanges = (pools: readonly LoadBalancerRanges[]): string[] =>
  pools.flatMap(({ ranges }) => ranges).filter((range) => USUAL.includes(range));
