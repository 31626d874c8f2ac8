import type { PolicyRule } from "../../../api/generated/types.ts";
import { urlCovers } from "./matches.ts";

/** A rule about one verb on one resource, or one object, or one URL: it is held whole or not at all. */
type Atom =
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string | undefined }
  | { readonly verb: string; readonly url: string };

function* atomsOf(rule: PolicyRule): Generator<Atom, undefined> {
  const { apiGroups = [], resources = [], verbs, resourceNames = [], nonResourceURLs = [] } = rule;
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) for (const name of names) yield { verb, group, resource, name };
    }
  }
  for (const url of nonResourceURLs) for (const verb of verbs) yield { verb, url };
}

const has = (words: readonly string[] | undefined, word: string): boolean =>
  words !== undefined && (words.includes("*") || words.includes(word));

function resourceCovers(resources: readonly string[] | undefined, wanted: string): boolean {
  if (has(resources, wanted)) return true;
  const slash = wanted.indexOf("/");
  return slash >= 0 && resources?.includes(`*${wanted.slice(slash)}`) === true;
}

function holds(rule: PolicyRule, atom: Atom): boolean {
  if (!has(rule.verbs, atom.verb)) return false;
  if ("url" in atom) return rule.nonResourceURLs?.some((url) => urlCovers(url, atom.url)) === true;
  const { resourceNames = [] } = rule;
  return (
    has(rule.apiGroups, atom.group) &&
    resourceCovers(rule.resources, atom.resource) &&
    (resourceNames.length === 0 || (atom.name !== undefined && resourceNames.includes(atom.name)))
  );
}

const ruleOf = (atom: Atom): PolicyRule =>
  "url" in atom
    ? { verbs: [atom.verb], nonResourceURLs: [atom.url] }
    : {
        verbs: [atom.verb],
        apiGroups: [atom.group],
        resources: [atom.resource],
        ...(atom.name === undefined ? {} : { resourceNames: [atom.name] }),
      };

/**
 * What of the wanted rules the held ones do not allow, in rules of one verb each. A wanted wildcard must be held as a wildcard: no list of
 * names says all that there ever will be.
 */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap((rule) =>
    [...atomsOf(rule)].filter((atom) => !held.some((one) => holds(one, atom))).map((atom) => ruleOf(atom)),
  );
}

const list = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` */
function ruleText(rule: PolicyRule): string {
  const parts = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ] as const;
  const said = parts.flatMap(([name, words]) => (words === undefined ? [] : [`${name}:${list(words)}`]));
  return `{${said.join(", ")}}`;
}

/** The rules of `uncovered` for people: one line for each resource, with all verbs that are missing. */
export function describeRules(rules: readonly PolicyRule[]): string {
  const verbs = new Map<string, PolicyRule>();
  const texts = new Set<string>();
  for (const rule of rules) {
    if (rule.nonResourceURLs !== undefined) {
      texts.add(ruleText(rule));
      continue;
    }
    const about = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames]);
    const before = verbs.get(about);
    verbs.set(about, before === undefined ? rule : { ...before, verbs: [...before.verbs, ...rule.verbs] });
  }
  for (const rule of verbs.values()) texts.add(ruleText(rule));
  return [...texts].sort().join("\n");
}
