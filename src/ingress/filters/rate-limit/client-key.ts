import { fromNumber, toNumber } from "../../../net/ip.ts";

const OF_HOST = (1n << 64n) - 1n;

/** By what a client is counted: an address of IPv4; of IPv6 the network of 64 bits, of which everybody has one whole. */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  try {
    const number = toNumber(address);
    return fromNumber(number - (number & OF_HOST), "IPv6");
  } catch {
    return address;
  }
}
