import type { ResourceQuota, ResourceQuotaStatus } from "../../../api/generated/types.ts";
import { addQuantities, parseQuantity, quantityText, ZERO, type Quantity } from "../../../api/meta/quantity.ts";
import type { Usage } from "../../../api/resourceQuota/usage/usage.ts";

export interface Charged {
  readonly status: ResourceQuotaStatus;
  /** What must be said when the quota does not allow the change; undefined when it does. */
  readonly refusal: string | undefined;
}

/** Whether the status says how much of a name is used; what is only hoped for in the spec has not been counted yet. */
export const isKnown = ({ status }: ResourceQuota, name: string): boolean =>
  status?.hard?.[name] !== undefined && status.used?.[name] !== undefined;

const notLess = (quantity: Quantity): Quantity => (quantity.nano < 0n ? ZERO : quantity);

/** `services=1,services.nodeports=2` */
const amountsText = (amounts: readonly (readonly [name: string, amount: Quantity])[]): string =>
  amounts.map(([name, amount]) => `${name}=${quantityText(amount)}`).join(",");

/**
 * A quota's status after a change of what is used. `counted` is how much that is now, for names of which the status does not know it.
 * The limits are those of the spec, which may be newer than those in the status. What shrinks is never refused.
 */
export function charged(quota: ResourceQuota, change: Usage, counted: Usage): Charged {
  const hard = { ...quota.status?.hard };
  const used = { ...quota.status?.used };
  const exceeded: { name: string; requested: Quantity; before: Quantity; limit: Quantity }[] = [];
  for (const name of [...change.keys()].sort()) {
    const requested = change.get(name)!;
    const limit = parseQuantity(quota.spec?.hard?.[name] ?? "0");
    const before = isKnown(quota, name) ? parseQuantity(used[name]!) : (counted.get(name) ?? ZERO);
    const after = notLess(addQuantities(before, requested));
    if (requested.nano > 0n && after.nano > limit.nano) exceeded.push({ name, requested, before, limit });
    hard[name] = quantityText(limit);
    used[name] = quantityText(after);
  }
  const text = (part: "requested" | "before" | "limit"): string =>
    amountsText(exceeded.map((fault) => [fault.name, fault[part]]));
  return {
    status: { hard, used },
    refusal:
      exceeded.length === 0
        ? undefined
        : `exceeded quota: ${quota.metadata.name}, requested: ${text("requested")}, used: ${text("before")}, limited: ${text("limit")}`,
  };
}
