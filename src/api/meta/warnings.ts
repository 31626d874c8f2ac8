import { canonical, lenientIP, readCidr, strictFamily } from "./ip.ts";

const quoted = (text: string): string => JSON.stringify(text);

/** Warnings about an address in a form that should not be used; none for what is no address at all (SVC-213). */
export function ipWarnings(path: string, text: string): string[] {
  const ip = lenientIP(text);
  if (ip === undefined) return [];
  if (strictFamily(text) === undefined) {
    return [`${path}: non-standard IP address ${quoted(text)} is invalid: use ${quoted(ip)}`];
  }
  return text.includes(":") && canonical(text) !== text
    ? [`${path}: IPv6 address ${quoted(text)} should be in RFC 5952 canonical format (${quoted(ip)})`]
    : [];
}

/** As `ipWarnings`, for a range; host bits make it unclear whether an address or a range was meant (SVC-214). */
export function cidrWarnings(path: string, text: string): string[] {
  const range = readCidr(text);
  if (range === undefined) return [];
  const [address = "", prefix = ""] = text.split("/");
  const form = quoted(`${range.first}/${range.prefix}`);
  const said: string[] = [];
  if (range.first !== range.ip) {
    const single = quoted(`${range.ip}/${range.ip.includes(":") ? 128 : 32}`);
    said.push(`${path}: CIDR value ${quoted(text)} is ambiguous in this context (should be ${form} or ${single}?)`);
  }
  if (strictFamily(address) === undefined || String(range.prefix) !== prefix) {
    said.push(`${path}: non-standard CIDR value ${quoted(text)} is invalid: use ${form}`);
  }
  if (said.length === 0 && address.includes(":") && canonical(address) !== address) {
    said.push(`${path}: IPv6 CIDR value ${quoted(text)} should be in RFC 5952 canonical format (${form})`);
  }
  return said;
}
