import { readCookies } from "../affinity/cookie.ts";
import { headerExpression } from "../expressions/expression.ts";
import type { CanaryPlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";

/** What a request itself says of the canaries of its route. */
export interface CanaryWords {
  /** It asks for this one. */
  readonly asked: CanaryPlan | undefined;
  /** Those of which it says nothing. */
  readonly open: readonly CanaryPlan[];
}

const NOTHING: CanaryWords = { asked: undefined, open: [] };

/** By header, else by cookie, each canary by itself. */
export function canaryWords(canaries: readonly CanaryPlan[], request: RequestHead): CanaryWords {
  if (canaries.length === 0) return NOTHING;
  const open: CanaryPlan[] = [];
  for (const canary of canaries) {
    const word = byHeader(canary, request) ?? byCookie(canary, request);
    if (word === "always") return { asked: canary, open: [] };
    if (word === undefined) open.push(canary);
  }
  return { asked: undefined, open };
}

/** By weight; undefined: none of them. `draw`: from 0 up to, but not including, 1. */
export function drawnCanary(canaries: readonly CanaryPlan[], draw: number): CanaryPlan | undefined {
  let share = 0;
  return canaries.find(({ weight, total }) => {
    if (total > 0) share += weight / total;
    return draw < share;
  });
}

type Word = "always" | "never" | undefined;

const isWord = (value: string | undefined): Word => (value === "always" || value === "never" ? value : undefined);

function byHeader({ header }: CanaryPlan, { headers }: RequestHead): Word {
  if (header === undefined) return undefined;
  const found = headers[header.name.toLowerCase()];
  const value = typeof found === "string" ? found : found?.[0];
  if (value === undefined) return undefined;
  if (header.value !== undefined) return value === header.value ? "always" : undefined;
  if (header.pattern !== undefined) return expressionOf(header.pattern)?.test(value) === true ? "always" : undefined;
  return isWord(value);
}

function byCookie({ cookie }: CanaryPlan, { headers }: RequestHead): Word {
  return cookie === undefined ? undefined : isWord(readCookies(headers.cookie, cookie)[0]);
}

const expressions = new Map<string, RegExp | undefined>();
const REMEMBERED = 1000;

/** Undefined: it is none, and so nothing matches it. */
function expressionOf(pattern: string): RegExp | undefined {
  if (expressions.has(pattern)) return expressions.get(pattern);
  if (expressions.size >= REMEMBERED) expressions.clear();
  let expression: RegExp | undefined;
  try {
    expression = headerExpression(pattern);
  } catch {
    // Whoever wrote it was told by an event.
  }
  expressions.set(pattern, expression);
  return expression;
}
