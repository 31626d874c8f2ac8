import type { ClusterRole, PolicyRule } from "../../api/generated/types.ts";
import { sameJson } from "../../api/meta/values.ts";
import { labelSelector } from "../../api/selector/labelSelector.ts";

/**
 * The rules that a role gathers: of all other roles that its selectors mean, selector by selector and by name, each rule once. Undefined
 * for a role that gathers nothing, and for one that has just these rules.
 *
 * @throws ApiError for a selector that cannot be read
 */
export function gatheredRules(role: ClusterRole, all: Iterable<ClusterRole>): PolicyRule[] | undefined {
  if (role.aggregationRule === undefined) return undefined;
  const others = [...all]
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  const gathered: PolicyRule[] = [];
  for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
    const isMeant = labelSelector(selector);
    for (const rule of others.filter(({ metadata }) => isMeant(metadata.labels)).flatMap(({ rules }) => rules ?? [])) {
      if (!gathered.some((one) => sameJson(one, rule))) gathered.push(rule);
    }
  }
  return sameJson(gathered, role.rules ?? []) ? undefined : gathered;
}
