import type { ResourceQuota, ResourceQuotaStatus } from "../../api/generated/types.ts";
import { parseQuantity, quantityText } from "../../api/meta/quantity.ts";
import { sameJson } from "../../api/meta/values.ts";
import type { Resource } from "../../api/object.ts";
import { isCounted, namesOf, type Usage } from "../../api/resourceQuota/usage/usage.ts";

/** The resources whose objects must be counted for a quota, of those that are served. */
export const resourcesFor = ({ spec = {} }: ResourceQuota, served: readonly Resource[]): Resource[] =>
  served.filter((resource) => isCounted(resource) && namesOf(spec, resource).length > 0);

/** Whether the status is about the spec as it is, and says how much is used of all that can be counted. */
export function isCurrent({ spec = {}, status }: ResourceQuota, served: readonly Resource[]): boolean {
  if (status?.hard === undefined || !sameJson(status.hard, spec.hard ?? {})) return false;
  const names = served.filter(isCounted).flatMap((resource) => namesOf(spec, resource));
  return names.every((name) => status.used?.[name] !== undefined);
}

const isSameAmount = (one: string, other: string | undefined): boolean =>
  other !== undefined && parseQuantity(one).nano === parseQuantity(other).nano;

/** The status after a count; undefined when it says so already. Of names that nobody here can count what was said stays. */
export function decideStatus({ spec, status }: ResourceQuota, counted: Usage): ResourceQuotaStatus | undefined {
  const hard = spec?.hard ?? {};
  const used: Record<string, string> = {};
  for (const name of Object.keys(hard).sort()) {
    const amount = counted.get(name);
    const said = amount === undefined ? status?.used?.[name] : quantityText(amount);
    if (said !== undefined) used[name] = said;
  }
  const before = status?.used ?? {};
  const isSame =
    status?.hard !== undefined &&
    sameJson(status.hard, hard) &&
    status.used !== undefined &&
    Object.keys(before).length === Object.keys(used).length &&
    Object.entries(used).every(([name, amount]) => isSameAmount(amount, before[name]));
  return isSame ? undefined : { hard, used };
}
