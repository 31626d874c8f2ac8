import type { LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";

const WORDS: Readonly<Record<string, string>> = { In: "in", NotIn: "notin" };

/** One requirement; undefined for one that means nothing. */
function requirementText({ key, operator, values = [] }: LabelSelectorRequirement): string | undefined {
  if (Object.hasOwn(WORDS, operator)) {
    return values.length === 0 ? undefined : `${key} ${WORDS[operator]} (${values.toSorted().join(",")})`;
  }
  if (values.length > 0) return undefined;
  return operator === "Exists" ? key : operator === "DoesNotExist" ? `!${key}` : undefined;
}

/**
 * A selector as a URL's `labelSelector` has it, sorted by key: `app=web,tier in (a,b),!old`. Empty for one that selects all, and for none.
 * Undefined for a selector that cannot be read.
 */
export function selectorText(selector: LabelSelector | undefined): string | undefined {
  const terms: [key: string, text: string | undefined][] = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]): [string, string] => [key, `${key}=${value}`]),
    ...(selector?.matchExpressions ?? []).map((term): [string, string | undefined] => [
      term.key,
      requirementText(term),
    ]),
  ];
  if (terms.some(([, text]) => text === undefined)) return undefined;
  return terms
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(",");
}

/** As a column of `kubectl get -o wide` shows it. */
export function selectorCell(selector: LabelSelector | undefined): string {
  const text = selectorText(selector);
  return text === undefined ? "<error>" : text === "" ? "<none>" : text;
}
