import type { PolicyRule } from "../../../api/generated/types.ts";
import type { RequestInfo } from "../attributes.ts";

const has = (words: readonly string[] | undefined, word: string): boolean =>
  words !== undefined && (words.includes("*") || words.includes(word));

/** Whether a URL of a rule, which may end in `*`, is that of a request or covers another rule's. */
export const urlCovers = (url: string, asked: string): boolean =>
  url === asked || (url.endsWith("*") && asked.startsWith(url.replace(/\*+$/, "")));

// Whether a resource of a rule is the one: `pods`, `pods/log`, `*` for all with their subresources, `*/scale` for that of any.
function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  if (has(rule.resources, combined)) return true;
  return subresource !== "" && rule.resources?.includes(`*/${subresource}`) === true;
}

/** Whether a rule allows a request. Names count only where the rule gives any; a request that names no object is then not allowed. */
export function ruleAllows(rule: PolicyRule, request: RequestInfo): boolean {
  if (!has(rule.verbs, request.verb)) return false;
  if (request.resource === undefined) return rule.nonResourceURLs?.some((url) => urlCovers(url, request.path)) === true;
  const { resourceNames = [] } = rule;
  return (
    has(rule.apiGroups, request.group) &&
    resourceMatches(rule, request.resource, request.subresource) &&
    (resourceNames.length === 0 || resourceNames.includes(request.name))
  );
}
