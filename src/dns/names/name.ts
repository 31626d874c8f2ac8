import { canonicalIP, familyOf, fromNumber } from "../../net/ip.ts";

/**
 * True for a name that fits on the wire (RFC 1035 §2.3.4: labels of 1 to 63 bytes, 255 bytes in all) and has only
 * the characters of host names and underscores. Anything else an object may hold is not published.
 */
export function isPublishable(name: string): boolean {
  return name.length <= 253 && name.split(".").every(isLabel);
}

/** True for one part of such a name. */
export const isLabel = (text: string): boolean => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(text);

/**
 * The system-assigned label of an address: `172-0-0-2`, `5678-abcd--1`. A label may not begin or end with a dash,
 * so `::` at either end gets a zero (DNS-012, DNS-013).
 */
export function dashed(ip: string): string {
  const label = ip.replaceAll(/[.:]/g, "-");
  return `${label.startsWith("-") ? "0" : ""}${label}${label.endsWith("-") ? "0" : ""}`;
}

/** The address a pod name's label says, in canonical form: the reverse of {@link dashed}; undefined where it says none (DNS-086). */
export function undashed(label: string): string | undefined {
  const dotted = label.replaceAll("-", ".");
  if (familyOf(dotted) === "IPv4") return dotted;
  const colons = label.replaceAll("-", ":");
  return familyOf(colons) === "IPv6" ? canonicalIP(colons) : undefined;
}

/** True in the part of the name space that is for addresses (RFC 1035 §3.5, RFC 3596 §2.5). */
export function isReverseZone(labels: readonly string[]): boolean {
  if (labels.at(-1) !== "arpa") return false;
  const second = labels.at(-2);
  return second === "in-addr" || second === "ip6";
}

/** True for a reverse name that addresses' names may stand below: one with fewer parts than an address has. */
export function isAboveAddresses(labels: readonly string[]): boolean {
  if (!isReverseZone(labels)) return false;
  const parts = labels.slice(0, -2);
  return labels.at(-2) === "in-addr"
    ? parts.length < 4 && parts.every((part) => familyOf(`0.0.0.${part}`) === "IPv4")
    : parts.length < 32 && parts.every((part) => /^[0-9a-f]$/.test(part));
}

/** The address a whole reverse name stands for, in canonical form; undefined for parts of one and for nonsense. */
export function reverseAddress(labels: readonly string[]): string | undefined {
  if (!isReverseZone(labels)) return undefined;
  const parts = labels.slice(0, -2).reverse();
  if (labels.at(-2) === "in-addr") {
    const ip = parts.join(".");
    return parts.length === 4 && familyOf(ip) === "IPv4" ? ip : undefined;
  }
  if (parts.length !== 32 || !parts.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  return fromNumber(BigInt(`0x${parts.join("")}`), "IPv6");
}
