import { canonicalIP, familyOf, fromNumber, toNumber } from "../../net/ip.ts";
import { isPublishable } from "../names/name.ts";

/** Which names have which addresses, and back. Names are dotted, in lower case, without the final dot. */
export interface HostTable {
  /** A name may begin with `*.`: then it stands for every name that has one label in that place. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** By address in canonical form. Names with `*` are not among them. */
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** The last 32 bits of `::ffff:0:0/96`, which is IPv4 written as IPv6. */
const MAPPED = 0xffff_0000_0000n;

/** An address of a hosts file in canonical form: without its scope, IPv4 as IPv4. Undefined for nonsense. */
function addressOf(text: string): string | undefined {
  const ip = text.replace(/%.*$/, "");
  const family = familyOf(ip);
  if (family === undefined) return undefined;
  if (family === "IPv6") {
    const number = toNumber(ip);
    if (number >> 32n === MAPPED >> 32n) return fromNumber(number & 0xffff_ffffn, "IPv4");
  }
  return canonicalIP(ip);
}

const nameOf = (text: string): string | undefined => {
  const name = text.toLowerCase().replace(/\.$/, "");
  return isPublishable(name.replace(/^\*\./, "")) ? name : undefined;
};

function add(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else if (!values.includes(value)) values.push(value);
}

/**
 * Reads lines in the form of /etc/hosts (hosts(5)): an address, its names, and a comment after `#`. Lines that begin with
 * no address and names that cannot be asked for are passed over, as are names for which `isOurs` is false.
 */
export function parseHosts(text: string, isOurs: (name: string) => boolean): HostTable {
  const addresses = new Map<string, string[]>();
  const names = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [first = "", ...others] = line.replace(/#.*$/, "").trim().split(/\s+/);
    const address = others.length === 0 ? undefined : addressOf(first);
    if (address === undefined) continue;
    for (const other of others) {
      const name = nameOf(other);
      if (name === undefined || !isOurs(name)) continue;
      add(addresses, name, address);
      if (!name.startsWith("*.")) add(names, address, name);
    }
  }
  return { addresses, names };
}

/** Every address of a name, first those of the first table. A name of its own comes before one with `*`. */
export function addressesOf(tables: readonly HostTable[], labels: readonly string[]): readonly string[] {
  const name = labels.join(".");
  const pattern = ["*", ...labels.slice(1)].join(".");
  const found = tables.flatMap(({ addresses }) => addresses.get(name) ?? addresses.get(pattern) ?? []);
  return tables.length > 1 ? [...new Set(found)] : found;
}
