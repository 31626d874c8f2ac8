import { invalid, type Fault } from "../fault.ts";
import type { ResourceQuota, ResourceQuotaSpec } from "../generated/types.ts";
import { checked } from "../meta/check.ts";
import { checkQualifiedName, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { isWhole, parseQuantity, quantityText } from "../meta/quantity.ts";
import { isIntegerName, isQuotaName, isStandardName } from "./names.ts";
import { validateScopes, validateScopeSelector } from "./validate/scopes.ts";

const RULES = { namespaced: true, checkName: checkSubdomain };

function validateName(name: string, field: string): Fault[] {
  const faults = checked(checkQualifiedName, field, name);
  if (name.includes("/")) return faults;
  if (faults.length === 0 && !isStandardName(name)) {
    faults.push(invalid(field, name, "must be a standard resource type or fully qualified"));
  }
  if (!isQuotaName(name)) faults.push(invalid(field, name, "must be a standard resource for quota"));
  return faults;
}

function validateAmount(name: string, text: string, field: string): Fault[] {
  const quantity = parseQuantity(text);
  const said = quantityText(quantity);
  return [
    ...(quantity.nano < 0n ? [invalid(field, said, "must be greater than or equal to 0")] : []),
    ...(isIntegerName(name) && !isWhole(quantity) ? [invalid(field, said, "must be an integer")] : []),
  ];
}

const validateAmounts = (amounts: Record<string, string> | undefined, path: string): Fault[] =>
  Object.entries(amounts ?? {}).flatMap(([name, text]) => {
    const field = `${path}[${name}]`;
    return [...validateName(name, field), ...validateAmount(name, text, field)];
  });

/** What a quota counts is decided once: scopes stay as they are. */
function validateChange(next: ResourceQuotaSpec, previous: ResourceQuotaSpec): Fault[] {
  const [now, was] = [new Set(next.scopes), new Set(previous.scopes)];
  const isSame = now.size === was.size && now.isSubsetOf(was);
  return isSame ? [] : [invalid("spec.scopes", next.scopes, "field is immutable")];
}

export function validate(next: ResourceQuota, previous: ResourceQuota | undefined): Fault[] {
  const spec = next.spec ?? {};
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, RULES),
    ...validateAmounts(spec.hard, "spec.hard"),
    ...validateScopes(spec),
    ...validateScopeSelector(spec),
    ...(previous === undefined ? [] : validateChange(spec, previous.spec ?? {})),
  ];
}

export const validateStatus = (next: ResourceQuota, previous: ResourceQuota): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, RULES),
  ...validateAmounts(next.status?.hard, "status.hard"),
  ...validateAmounts(next.status?.used, "status.used"),
];
