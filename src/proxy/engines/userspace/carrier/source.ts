import { cidrContains, parseCidr, type Cidr } from "../../../../net/cidr.ts";
import type { CarriedPort, Entrance, ListName } from "./carried.ts";

const parsed = new Map<string, Cidr>();

/** Ranges come again with every plan, and are few: each is read once. */
function rangeOf(text: string): Cidr {
  let range = parsed.get(text);
  if (range === undefined) {
    if (parsed.size > 10_000) parsed.clear();
    parsed.set(text, (range = parseCidr(text)));
  }
  return range;
}

const inRanges = (ip: string, ranges: readonly string[]): boolean =>
  ranges.some((range) => cidrContains(rangeOf(range), ip));

/** The list that a caller is led to; undefined: none. `called` is the address it called. */
export function listFor(entrance: Entrance, caller: string, called: string): ListName | undefined {
  const { inside, list } = entrance;
  if (inside === undefined) return list;
  return caller === called || inRanges(caller, inside.ranges) ? inside.list : list;
}

/** Whether a caller may call at all: what the socket's filter does in the kernel, for lists that are too long for it. */
export const isAdmitted = (entrance: Entrance, caller: string): boolean =>
  entrance.admits.every((ranges) => inRanges(caller, ranges));

/** The client as it is remembered and hashed: the node is one client, whichever of its addresses it calls from. */
export const clientOf = (port: CarriedPort, caller: string, called: string): string =>
  caller === called || port.own.includes(caller) ? "node" : caller;
