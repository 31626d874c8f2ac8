import type { LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";
import { ApiError } from "../status.ts";
import { readRequirements, type Operator, type Requirement } from "./label-text.ts";

export type Labels = Record<string, string> | undefined;
export type LabelPredicate = (labels: Labels) => boolean;

const bad = (text: string, why: string): ApiError =>
  new ApiError("BadRequest", `unable to parse requirement in label selector ${JSON.stringify(text)}: ${why}`);

const valueOf = (labels: Labels, key: string): string | undefined =>
  labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;

function matches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = valueOf(labels, key);
  switch (operator) {
    case "=":
    case "in":
      return value !== undefined && values.includes(value);
    // A missing label is not one of the values, so the negated operators match it.
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case ">":
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) > BigInt(values[0]!);
    case "<":
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) < BigInt(values[0]!);
  }
}

const all =
  (requirements: readonly Requirement[]): LabelPredicate =>
  (labels) =>
    requirements.every((requirement) => matches(requirement, labels));

/** Reads `labelSelector` of a URL: `app=web,tier in (a,b),!old`. An empty text matches everything. Throws BadRequest. */
export const parseLabelSelector = (text: string): LabelPredicate => all(readRequirements(text));

const OPERATORS: Record<string, Operator> = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" };

function fromExpression({ key, operator, values = [] }: LabelSelectorRequirement): Requirement {
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (known === undefined) throw bad(key, `${JSON.stringify(operator)} is not a valid label selector operator`);
  const needsValues = known === "in" || known === "notin";
  if (needsValues !== values.length > 0) {
    throw bad(key, needsValues ? `${operator} needs at least one value` : `${operator} takes no values`);
  }
  return { key, operator: known, values };
}

/** The object form. Undefined matches nothing, and an empty selector everything, as upstream has it. Throws BadRequest. */
export function labelSelector(selector: LabelSelector | undefined): LabelPredicate {
  if (selector === undefined) return () => false;
  return all([
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({
      key,
      operator: "=",
      values: [value],
    })),
    ...(selector.matchExpressions ?? []).map(fromExpression),
  ]);
}

/** The plain map of a Service's `spec.selector`: every pair must be there. An empty map matches everything. */
export function matchesLabels(selector: Record<string, string>, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => valueOf(labels, key) === value);
}
