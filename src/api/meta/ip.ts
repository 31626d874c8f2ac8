import { isIP } from "node:net";
import { parseIp, stringifyIp } from "ip-bigint";

export type Family = "IPv4" | "IPv6";

/**
 * The family of an address written in a strict form: no leading zeros, no zone, no IPv4-mapped IPv6
 * (`::ffff:1.2.3.4`, which two readers could take for two families). Undefined for anything else (SVC-002, SVC-081).
 */
export function strictFamily(text: string): Family | undefined {
  const version = text.includes("%") ? 0 : isIP(text);
  if (version === 4) return "IPv4";
  if (version !== 6) return undefined;
  return isMapped(text) ? undefined : "IPv6";
}

const isMapped = (text: string): boolean => {
  const { number } = parseIp(text);
  return number >> 32n === 0xffffn;
};

/** RFC 5952 form. Throws for what is no address. */
export const canonical = (text: string): string => stringifyIp(parseIp(text));

/**
 * Reads what older API servers accepted too: leading zeros in IPv4 read as decimal, IPv4-mapped IPv6 read as IPv4.
 * Such values live on in stored objects. Answers the strict form, or undefined for what was never an address.
 */
export function lenientIP(text: string): string | undefined {
  const family = strictFamily(text);
  if (family === "IPv4") return text;
  if (family === "IPv6") return canonical(text);
  const octets = /^(\d{1,10})\.(\d{1,10})\.(\d{1,10})\.(\d{1,10})$/.exec(text)?.slice(1).map(Number);
  if (octets !== undefined) return octets.every((octet) => octet <= 255) ? octets.join(".") : undefined;
  if (isIP(text) === 6 && !text.includes("%") && isMapped(text)) {
    return stringifyIp({ number: parseIp(text).number & 0xffffffffn, version: 4 });
  }
  return undefined;
}

/** The parts of a range in CIDR form, in strict form or not; undefined for what is no range. */
export function readCidr(text: string): { ip: string; prefix: number; first: string; strict: boolean } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const ip = match === null ? undefined : lenientIP(match[1]!);
  if (match === null || ip === undefined) return undefined;
  const prefix = Number(match[2]);
  const width = ip.includes(":") ? 128 : 32;
  if (prefix > width) return undefined;
  const version = width === 32 ? 4 : 6;
  const { number } = parseIp(ip);
  const size = 1n << BigInt(width - prefix);
  const first = stringifyIp({ number: number - (number % size), version });
  const strict = strictFamily(match[1]!) !== undefined && String(prefix) === match[2] && first === ip;
  return { ip, prefix, first, strict };
}

/** A range in strict form: no leading zeros, no bits beyond the prefix (SVC-081). */
export const isCidr = (text: string): boolean => readCidr(text)?.strict === true;

export const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
export const NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Why an address cannot be a destination that others are sent to: unspecified, loopback, link-local (SVC-072). */
export function specialRange(ip: string): string[] {
  const faults: string[] = [];
  const v4 = ip.includes(":") ? undefined : ip.split(".").map(Number);
  const number = parseIp(ip).number;
  if (number === 0n) faults.push("may not be unspecified (0.0.0.0 or ::)");
  if (v4 === undefined ? number === 1n : v4[0] === 127)
    faults.push("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (v4 === undefined ? number >> 118n === 0xfe80n >> 6n : v4[0] === 169 && v4[1] === 254) {
    faults.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (v4 === undefined ? number >> 112n === 0xff02n : v4[0] === 224 && v4[1] === 0 && v4[2] === 0) {
    faults.push("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return faults;
}
