import type { ResourceQuota } from "../generated/types.ts";
import { parseQuantity } from "../meta/quantity.ts";

/** On create: who may request more than pods may use has probably mixed them up. */
export function warnings({ spec }: ResourceQuota, previous: ResourceQuota | undefined): string[] {
  if (previous !== undefined) return [];
  const hard = spec?.hard ?? {};
  return ["cpu", "memory", "storage", "ephemeral-storage"].flatMap((name) => {
    const isShort = name === "cpu" || name === "memory";
    const requests = hard[`requests.${name}`] === undefined && isShort ? name : `requests.${name}`;
    const [request, limit] = [hard[requests], hard[`limits.${name}`]];
    if (request === undefined || limit === undefined) return [];
    if (parseQuantity(request).nano <= parseQuantity(limit).nano) return [];
    return [`ResourceQuota ${requests} (${request}) should be less than limits.${name} (${limit})`];
  });
}
