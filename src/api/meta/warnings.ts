import { canonical, lenientIP, readCidr, strictFamily } from "./ip.ts";

/** Warnings about an address in a form that should not be used; none for what is no address at all. */
export function ipWarnings(path: string, text: string): string[] {
  const ip = lenientIP(text);
  if (ip === undefined) return [];
  if (strictFamily(text) === undefined) {
    return [
      `${path}: non-standard IP address ${JSON.stringify(text)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(ip)}`,
    ];
  }
  return text.includes(":") && canonical(text) !== text
    ? [`${path}: IPv6 address ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(ip)})`]
    : [];
}

/** As `ipWarnings`, for a range; host bits make it unclear whether an address or a range was meant (SVC-214). */
export function cidrWarnings(path: string, text: string): string[] {
  const range = readCidr(text);
  const [address = "", prefix = ""] = text.split("/");
  if (range === undefined) return [];
  const form = JSON.stringify(`${range.first}/${range.prefix}`);
  if (strictFamily(address) === undefined || String(range.prefix) !== prefix) {
    return [
      `${path}: non-standard CIDR value ${JSON.stringify(text)} will be considered invalid in a future Kubernetes release: use ${form}`,
    ];
  }
  if (range.first !== range.ip) {
    return [
      `${path}: CIDR value ${JSON.stringify(text)} is ambiguous in this context (should be ${form} or ${JSON.stringify(`${range.ip}/${range.ip.includes(":") ? 128 : 32}`)}?)`,
    ];
  }
  return address.includes(":") && canonical(address) !== address
    ? [`${path}: IPv6 CIDR value ${JSON.stringify(text)} should be in RFC 5952 canonical format (${form})`]
    : [];
}
