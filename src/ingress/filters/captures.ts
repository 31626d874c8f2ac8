import { pathExpression } from "../expressions/expression.ts";
import type { PathMatch } from "../plan/plan.ts";

/** Compiles a text with `$1` … `$9` in it for a route: what its expression caught of a path; nothing where it caught none, or is no expression. */
export function captured(text: string, match: PathMatch): (path: string) => string {
  if (!/\$\d/.test(text)) return () => text;
  const expression = match.type === "regex" ? pathExpression(match.source) : undefined;
  return (path) => {
    const caught = expression?.exec(path);
    return text.replace(/\$(\d)/g, (_, digit: string) => caught?.[Number(digit)] ?? "");
  };
}
