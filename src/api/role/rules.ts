import { invalid, required, type Fault } from "../fault.ts";
import type { PolicyRule } from "../generated/types.ts";

/** The rules of a role. One rule is about resources or about URLs, never both; a Role, being of a namespace, has no say about URLs. */
export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): Fault[] {
  return (rules ?? []).flatMap((rule, index) => {
    const field = `rules[${index}]`;
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    const faults: Fault[] = [];
    if (verbs.length === 0) faults.push(required(`${field}.verbs`, "verbs must contain at least one value"));
    if (nonResourceURLs.length > 0) {
      const refuse = (why: string): number => faults.push(invalid(`${field}.nonResourceURLs`, nonResourceURLs, why));
      if (namespaced) refuse("namespaced rules cannot apply to non-resource URLs");
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        refuse("rules cannot apply to both regular resources and non-resource URLs");
      }
      return faults;
    }
    if (apiGroups.length === 0) {
      faults.push(required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
    }
    if (resources.length === 0) {
      faults.push(required(`${field}.resources`, "resource rules must supply at least one resource"));
    }
    return faults;
  });
}
