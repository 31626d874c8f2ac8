import type { HostsOptions } from "../configuration/configuration.ts";
import { familyOf } from "../../net/ip.ts";
import { reverseAddress } from "../names/name.ts";
import { RCODE, TYPE, type DnsRecord, type Lookup } from "../names/record.ts";
import type { Source } from "../names/source.ts";
import { addressRecord, positive } from "../names/zone.ts";
import { addressesOf, parseHosts, type HostTable } from "./table.ts";

/** How a hosts file is read. */
export interface HostsGround {
  /** The file's text; undefined when it cannot be read, or has not changed since `last`, which is what the last call answered. */
  read(path: string, last: HostsText | undefined): HostsText | undefined;
  /** Calls back when a file may have changed, and every `milliseconds` besides. The returned function ends it. */
  watch(path: string, milliseconds: number, callback: () => void): () => void;
}

export interface HostsText {
  readonly text: string;
  /** Differs whenever the text does: made of the file's time and size. */
  readonly stamp: string;
}

export interface Hosts extends Source {
  stop(): void;
}

/** What answers depend on: when a file has changed, they are untrue. */
const DEPENDS = ["hosts"];

const isUnder = (name: string, zone: string): boolean => zone === "" || name === zone || name.endsWith(`.${zone}`);

const answered = (answers: readonly DnsRecord[]): Lookup => ({ answer: positive(answers), depends: DEPENDS });

/** There is no start of authority that a denial could name, as RFC 2308 wants it: so the name is a failure. */
const UNKNOWN: Lookup = {
  answer: { rcode: RCODE.SERVFAIL, authoritative: false, answers: [], authority: [], additional: [] },
  depends: DEPENDS,
};

/**
 * Names from a file in the form of /etc/hosts and from lines of the same form. A name that is here has no records but its
 * addresses; one that is not may be somewhere else, where it ends in one of `fallthrough`. Reverse names are answered if an
 * address is here, whatever the zones. `changed` hears that answers given so far may be untrue, `counted` how many names a file has.
 */
export function createHosts(
  options: HostsOptions,
  blockZones: readonly string[],
  ground: HostsGround,
  changed: (words: readonly string[]) => void,
  counted: (file: string, names: number) => void = () => {},
): Hosts {
  const { ttl, file, fallthrough } = options;
  const zones = options.zones ?? blockZones;
  const isOurs = (name: string): boolean => zones.some((zone) => isUnder(name, zone));

  const inline = parseHosts(options.inline.join("\n"), isOurs);
  let tables: readonly HostTable[] = [inline];
  let last: HostsText | undefined;
  const read = (path: string): void => {
    const now = ground.read(path, last);
    // Gone, or just being written anew: what was there holds until there is something else.
    if (now === undefined) return;
    last = now;
    tables = [parseHosts(now.text, isOurs), inline];
    counted(path, tables[0]!.addresses.size);
    changed(DEPENDS);
  };
  let stop = (): void => {};
  if (file !== undefined) {
    read(file);
    if (options.reload > 0) stop = ground.watch(file, options.reload, () => read(file));
  }

  return {
    plugin: "hosts",
    stop: () => stop(),
    lookup(labels, type) {
      if (type === TYPE.PTR) {
        const address = options.noReverse ? undefined : reverseAddress(labels);
        const names =
          address === undefined ? [] : [...new Set(tables.flatMap((table) => table.names.get(address) ?? []))];
        if (names.length === 0) return undefined;
        const name = labels.join(".");
        return answered(names.map((target) => ({ name, ttl, type: "PTR", target })));
      }
      const name = labels.join(".");
      if (!isOurs(name)) return undefined;
      const addresses = addressesOf(tables, labels);
      if (addresses.length === 0) return fallthrough.some((zone) => isUnder(name, zone)) ? undefined : UNKNOWN;
      const family = type === TYPE.A ? "IPv4" : type === TYPE.AAAA ? "IPv6" : undefined;
      const ours = addresses.filter((address) => familyOf(address) === family);
      return answered(ours.map((address) => addressRecord(name, address, ttl)));
    },
  };
}
