import { duplicate, invalid, notSupported, required, type Fault } from "../../fault.ts";
import type { Service, ServiceSpec } from "../../generated/types.ts";
import { checkedIP } from "../../meta/check.ts";
import { lenientIP } from "../../meta/ip.ts";
import { HEADLESS } from "../needs.ts";

const FAMILIES = ["IPv4", "IPv6"];
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
/** SVC-075 */
function validateBothForms(spec: ServiceSpec): Fault[] {
  const singular = spec.clusterIP ?? "";
  const plural = spec.clusterIPs ?? [];
  if (singular !== "" && plural.length === 0) return [required("spec.clusterIPs")];
  if (singular === "" && plural.length > 0) {
    return [invalid("spec.clusterIPs", plural, "must be empty when `clusterIP` is not specified")];
  }
  return plural.length > 0 && plural[0] !== singular
    ? [invalid("spec.clusterIPs", plural, "first value must match `clusterIP`")]
    : [];
}

/** SVC-076, SVC-077 */
function validateFamilies(spec: ServiceSpec): Fault[] {
  const seen = new Set<string>();
  const faults = (spec.ipFamilies ?? []).flatMap((family, index) => {
    const field = `spec.ipFamilies[${index}]`;
    const said = FAMILIES.includes(family) ? [] : [notSupported(field, family, FAMILIES)];
    if (seen.has(family)) said.push(duplicate(field, family));
    seen.add(family);
    return said;
  });
  const policy = spec.ipFamilyPolicy;
  if (policy !== undefined && !POLICIES.includes(policy)) {
    faults.push(notSupported("spec.ipFamilyPolicy", policy, POLICIES));
  }
  return faults;
}

const familyOf = (ip: string): string => (lenientIP(ip)?.includes(":") ? "IPv6" : "IPv4");

/** SVC-078 … SVC-081 */
function validateAddresses(spec: ServiceSpec, before: readonly string[]): Fault[] {
  const ips = spec.clusterIPs ?? [];
  const faults: Fault[] = [];
  let unreadable = false;
  for (const [index, ip] of ips.entries()) {
    if (index === 0 && ip === HEADLESS) {
      if (ips.length > 1) {
        faults.push(invalid("spec.clusterIPs", ips, "'None' must be the first and only value"));
        unreadable = true;
      }
      continue;
    }
    const said = checkedIP(`spec.clusterIPs[${index}]`, ip, before);
    if (said.length > 0) unreadable = true;
    faults.push(...said);
  }
  if (ips.length > 2) faults.push(invalid("spec.clusterIPs", ips, "may only hold up to 2 values"));
  if (unreadable || ips[0] === HEADLESS) return faults;
  if (ips.length > 1 && new Set(ips.map(familyOf)).size === 1) {
    faults.push(invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"));
  }
  for (const [index, ip] of ips.entries()) {
    const family = spec.ipFamilies?.[index];
    if (family !== undefined && FAMILIES.includes(family) && family !== familyOf(ip)) {
      faults.push(
        invalid(
          `spec.clusterIPs[${index}]`,
          ip,
          `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
        ),
      );
    }
  }
  return faults;
}

/**
 * Cluster IPs and their families as written; what an alias may not have is for `validateByType`. This alone runs before addresses are claimed, and when it finds something,
 * nothing else is told (SVC-108).
 */
export function validateClusterIPs(next: Service, previous: Service | undefined): Fault[] {
  const spec = next.spec ?? {};
  if (spec.type === "ExternalName") return [];
  return [
    ...validateBothForms(spec),
    ...validateFamilies(spec),
    ...validateAddresses(spec, previous?.spec?.clusterIPs ?? []),
  ];
}
