import type { LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";
import { checkLabelValue, checkQualifiedName } from "../meta/names.ts";
import { ApiError } from "../status.ts";

export type Labels = Record<string, string> | undefined;
export type LabelPredicate = (labels: Labels) => boolean;

type Operator = "=" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";
interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

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

function checkRequirement(text: string, requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const [why] = checkQualifiedName(key);
  if (why !== undefined) throw bad(text, `key ${JSON.stringify(key)}: ${why}`);
  for (const value of values) {
    const [fault] = checkLabelValue(value);
    if (fault !== undefined) throw bad(text, `value ${JSON.stringify(value)} of ${key}: ${fault}`);
    if ((operator === ">" || operator === "<") && !/^-?\d+$/.test(value)) {
      throw bad(text, `for ${operator} the value of ${key} must be a whole number, not ${JSON.stringify(value)}`);
    }
  }
  return requirement;
}

const all =
  (requirements: readonly Requirement[]): LabelPredicate =>
  (labels) =>
    requirements.every((requirement) => matches(requirement, labels));

/** Splits at the commas that are not inside brackets. */
function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    else if (text[at] === ")") depth -= 1;
    else if (text[at] === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
    if (depth < 0 || depth > 1) throw bad(text, "brackets that do not match");
  }
  if (depth !== 0) throw bad(text, "a bracket is not closed");
  return [...parts, text.slice(from)];
}

const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const COMPARED = /^([^\s=!<>]+)\s*(==|!=|=|>|<)\s*([^\s=!<>]*)$/;
const PRESENT = /^(!?)\s*([^\s=!<>()]+)$/;

function parseRequirement(part: string, text: string): Requirement {
  const set = SET.exec(part);
  if (set !== null) {
    const values = set[3]!.split(",").map((value) => value.trim());
    return { key: set[1]!, operator: set[2] as Operator, values };
  }
  const compared = COMPARED.exec(part);
  if (compared !== null) {
    const operator = compared[2] === "==" ? "=" : (compared[2] as Operator);
    return { key: compared[1]!, operator, values: [compared[3]!] };
  }
  const present = PRESENT.exec(part);
  if (present !== null) return { key: present[2]!, operator: present[1] === "!" ? "!" : "exists", values: [] };
  throw bad(
    text,
    `found ${JSON.stringify(part)}, expected KEY, !KEY, KEY=VALUE, KEY!=VALUE, KEY in (A,B) or KEY notin (A,B)`,
  );
}

/** Reads `labelSelector` of a URL: `app=web,tier in (a,b),!old`. An empty text matches everything. Throws BadRequest. */
export function parseLabelSelector(text: string): LabelPredicate {
  if (text.trim() === "") return () => true;
  return all(splitRequirements(text).map((part) => checkRequirement(text, parseRequirement(part.trim(), text))));
}

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
