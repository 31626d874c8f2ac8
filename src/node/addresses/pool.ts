import { addressAt, cidrContains, parseCidr, type Cidr } from "../../net/cidr.ts";
import { canonicalIP, toNumber } from "../../net/ip.ts";

/** Gives each pod one address of every range. */
export interface AddressPool {
  /** One address per range, in the order of the ranges. Throws when a range is used up. */
  take(): string[];
  /** Marks addresses as taken, as those of an adopted pod; those outside the ranges are ignored. */
  hold(addresses: readonly string[]): void;
  release(addresses: readonly string[]): void;
}

interface Range {
  readonly cidr: Cidr;
  readonly last: bigint;
  readonly taken: Set<string>;
  next: bigint;
}

/**
 * A pool over the pod ranges. Never given out: the network address (in IPv6 the subnet-router anycast address, RFC 4291 2.6.1),
 * the IPv4 broadcast address, and `reserved`. Addresses go round, so that one just released stays unused for as long
 * as can be: somebody may still hold a connection to it.
 */
export function addressPool(podRanges: readonly string[], reserved: readonly string[]): AddressPool {
  const kept = new Set(reserved.map(canonicalIP));
  const ranges = podRanges.map((text): Range => {
    const cidr = parseCidr(text);
    const size = cidr.last - cidr.first + 1n;
    return { cidr, last: cidr.family === "IPv4" ? size - 2n : size - 1n, taken: new Set(), next: 1n };
  });

  const takeFrom = (range: Range): string => {
    const start = range.next;
    do {
      const address = addressAt(range.cidr, range.next);
      range.next = range.next >= range.last ? 1n : range.next + 1n;
      if (!kept.has(address) && !range.taken.has(address)) {
        range.taken.add(address);
        return address;
      }
    } while (range.next !== start);
    throw new Error(`giving a pod an address: all of ${range.cidr.text} are taken (${range.taken.size} pods)`);
  };

  return {
    take() {
      const addresses: string[] = [];
      try {
        for (const range of ranges) addresses.push(takeFrom(range));
      } catch (error) {
        this.release(addresses);
        throw error;
      }
      return addresses;
    },
    hold(addresses) {
      for (const address of addresses.map(canonicalIP)) {
        for (const range of ranges) {
          if (!cidrContains(range.cidr, address)) continue;
          range.taken.add(address);
          const offset = toNumber(address) - range.cidr.first;
          if (offset >= range.next) range.next = offset >= range.last ? 1n : offset + 1n;
        }
      }
    },
    release(addresses) {
      for (const address of addresses.map(canonicalIP)) for (const range of ranges) range.taken.delete(address);
    },
  };
}
