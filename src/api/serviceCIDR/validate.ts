import { invalid, required, type Fault } from "../fault.ts";
import type { ServiceCIDR } from "../generated/types.ts";
import { checkCanonicalCidr } from "../meta/ip.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";

/** SVC-264 */
function validateCidrs(cidrs: readonly string[]): Fault[] {
  const field = "spec.cidrs";
  if (cidrs.length === 0) return [required(field, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalid(field, { CIDRs: cidrs }, "may only hold up to 2 values")];
  const faults = cidrs.flatMap((cidr, index) =>
    checkCanonicalCidr(cidr).map((why) => invalid(`${field}[${index}]`, cidr, why)),
  );
  const [first, second] = cidrs;
  if (second !== undefined && first!.includes(":") === second.includes(":")) {
    faults.push(
      invalid(field, cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"),
    );
  }
  return faults;
}

/** SVC-265: ranges are for good; a single-stack pool may become dual-stack. */
function validateChange(next: readonly string[], previous: readonly string[]): Fault[] {
  const field = "spec.cidrs";
  if (next.length === previous.length) {
    return next.flatMap((cidr, index) =>
      cidr === previous[index] ? [] : [invalid(`${field}[${index}]`, cidr, "field is immutable")],
    );
  }
  if (previous.length === 1 && next.length === 2) {
    return next[0] === previous[0] ? validateCidrs(next) : [invalid(`${field}[0]`, next[0], "field is immutable")];
  }
  return [invalid(field, next, "field is immutable")];
}

export function validate(next: ServiceCIDR, previous: ServiceCIDR | undefined): Fault[] {
  const cidrs = next.spec?.cidrs ?? [];
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkSubdomain }),
    ...(previous === undefined ? validateCidrs(cidrs) : validateChange(cidrs, previous.spec?.cidrs ?? [])),
  ];
}
