import { LOWER } from "../wire/query.ts";

/** A domain as names on the wire end in it, in lower case, with the root. */
export type Suffix = Buffer;

export function suffixOf(domain: string): Suffix {
  const labels = domain
    .toLowerCase()
    .split(".")
    .filter((label) => label !== "");
  return Buffer.from([...labels.flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]), 0]);
}

/** True when the name of a packet's question, whose section ends at `end`, is the domain or below it. */
export function endsIn(packet: Buffer, end: number, suffix: Suffix): boolean {
  const from = end - 4 - suffix.length;
  let at = 12;
  while (at < from) at += packet[at]! + 1;
  if (at !== from) return false;
  for (let offset = 0; offset < suffix.length; offset += 1) {
    if (LOWER[packet[at + offset]!] !== suffix[offset]) return false;
  }
  return true;
}
