import { familyOf, fromNumber, toNumber, type IPFamily } from "./ip.ts";

export interface Address {
  readonly ip: string;
  readonly family: IPFamily;
}

const PLAIN = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const PADDED = /^(\d{1,16})\.(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/;

/**
 * An address as objects may spell it, in the form by which we compare. Objects older than strict validation have zeros in front
 * (`010.1.2.3` is 10.1.2.3, never octal), and IPv4 in IPv6's clothes (`::ffff:10.1.2.3`). Undefined for what is none.
 */
export function readAddress(text: string): Address | undefined {
  if (PLAIN.test(text)) return { ip: text, family: "IPv4" };
  const four = PADDED.exec(text);
  if (four !== null) {
    const bytes = four.slice(1).map(Number);
    return bytes.every((byte) => byte <= 255) ? { ip: bytes.join("."), family: "IPv4" } : undefined;
  }
  if (familyOf(text) !== "IPv6") return undefined;
  const number = toNumber(text);
  return number >> 32n === 0xffffn
    ? { ip: fromNumber(number & 0xffff_ffffn, "IPv4"), family: "IPv4" }
    : { ip: fromNumber(number, "IPv6"), family: "IPv6" };
}
