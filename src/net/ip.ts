import { ipVersion, parseIp, stringifyIp } from "ip-bigint";

export type IPFamily = "IPv4" | "IPv6";

/** The family of an address in strict textual form; undefined for anything else (names, CIDRs, zones, octal forms). */
export function familyOf(ip: string): IPFamily | undefined {
  if (ip.includes("%")) return undefined;
  const version = ipVersion(ip);
  return version === 4 ? "IPv4" : version === 6 ? "IPv6" : undefined;
}

/** RFC 5952 form, by which addresses are compared and named. Throws for what is no address. */
export const canonicalIP = (ip: string): string => stringifyIp(parseIp(ip));

/** `ip:port`, with brackets round IPv6. */
export const hostPort = (ip: string, port: number): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

export const toNumber = (ip: string): bigint => parseIp(ip).number;
export const fromNumber = (number: bigint, family: IPFamily): string =>
  stringifyIp({ number, version: family === "IPv4" ? 4 : 6 });
