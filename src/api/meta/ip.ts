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
export function readCidr(text: string): { ip: string; prefix: number; first: string } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const ip = match === null ? undefined : lenientIP(match[1]!);
  if (match === null || ip === undefined) return undefined;
  const width = ip.includes(":") ? 128 : 32;
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8`: the first 96 bits say only that it is IPv4.
  const prefix = Number(match[2]) - (width === 32 && match[1]!.includes(":") ? 96 : 0);
  if (prefix < 0 || prefix > width) return undefined;
  const version = width === 32 ? 4 : 6;
  const { number } = parseIp(ip);
  const size = 1n << BigInt(width - prefix);
  const first = stringifyIp({ number: number - (number % size), version });
  return { ip, prefix, first };
}

const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Why a text is no address in strict form (SVC-081). */
export function checkIP(text: string): string[] {
  if (strictFamily(text) !== undefined) return [];
  if (lenientIP(text) === undefined) return [NOT_AN_IP];
  return [text.includes(":") ? "must not be an IPv4-mapped IPv6 address" : "must not have leading 0s"];
}

/** Why a text is no address in its one canonical form: RFC 5952 for IPv6. */
export function checkCanonicalIP(text: string): string[] {
  const faults = checkIP(text);
  if (faults.length > 0) return faults;
  const form = canonical(text);
  return form === text ? [] : [`must be in canonical form (${JSON.stringify(form)})`];
}

/** Why a text is no range in strict form: no leading zeros, no bits beyond the prefix (SVC-081). */
export function checkCidr(text: string): string[] {
  const range = readCidr(text);
  if (range === undefined) return [NOT_A_CIDR];
  const [address = "", prefix = ""] = text.split("/");
  if (address.includes(":") && strictFamily(address) === undefined) {
    return ["must not have an IPv4-mapped IPv6 address"];
  }
  return [
    ...(strictFamily(address) === undefined || String(range.prefix) !== prefix
      ? ["must not have leading 0s in IP or prefix length"]
      : []),
    ...(range.first === range.ip ? [] : ["must not have bits set beyond the prefix length"]),
  ];
}

/** Why a text is no range in its one canonical form. */
export function checkCanonicalCidr(text: string): string[] {
  const faults = checkCidr(text);
  const range = readCidr(text);
  if (faults.length > 0 || range === undefined) return faults;
  const form = `${range.first}/${range.prefix}`;
  return form === text ? [] : [`must be in canonical form (${JSON.stringify(form)})`];
}

/** Why an address cannot be a destination that others are sent to: unspecified, loopback, link-local (SVC-072). */
export function specialRange(text: string): string[] {
  const ip = lenientIP(text);
  if (ip === undefined) return [];
  const faults: string[] = [];
  const v4 = ip.includes(":") ? undefined : ip.split(".").map(Number);
  const number = parseIp(ip).number;
  if (number === 0n) faults.push(`may not be unspecified (${text})`);
  if (v4 === undefined ? number === 1n : v4[0] === 127)
    faults.push("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (v4 === undefined ? number >> 118n === 0xfe80n >> 6n : v4[0] === 169 && v4[1] === 254) {
    faults.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  // Any flags, link-local scope.
  if (v4 === undefined ? ((number >> 112n) & 0xff0fn) === 0xff02n : v4[0] === 224 && v4[1] === 0 && v4[2] === 0) {
    faults.push("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return faults;
}
