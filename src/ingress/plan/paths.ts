import type { HTTPIngressPath } from "../../api/generated/types.ts";
import { pathExpression } from "../expressions/expression.ts";
import { canonicalPath } from "../heads/canonical-path.ts";
import type { PathMatch } from "./plan.ts";

/** Matches everything. */
export const EVERY_PATH: PathMatch = { type: "prefix", path: "" };

/**
 * Which requests a path of a rule is for; a sentence where it can be for none. ImplementationSpecific is Prefix (CTL-134), and both are
 * expressions where the Ingress says so.
 */
export function readPath({ path = "", pathType }: HTTPIngressPath, useRegex: boolean): PathMatch | string {
  if (pathType === "Exact") return { type: "exact", path: canonicalPath(path) };
  if (useRegex && path !== "" && path !== "/") {
    try {
      pathExpression(path);
      return { type: "regex", source: path };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `${JSON.stringify(path)} should be an expression as JavaScript has them: ${why}`;
    }
  }
  // CTL-133: `/foo/` is `/foo`, and `/` is everything.
  return { type: "prefix", path: canonicalPath(path).replace(/\/+$/, "") };
}

const textOf = (match: PathMatch): string => (match.type === "regex" ? match.source : match.path);

/** Two routes of one host with the same key are for the same requests. */
export const matchKey = (match: PathMatch): string => `${match.type}:${textOf(match)}`;

const RANK = { exact: 0, prefix: 1, regex: 2 };

/**
 * CTL-135: an exact path is as long as what it matches, so it is first; then the longest, by its text. A prefix goes before an expression of
 * its length.
 */
export function byPrecedence(one: PathMatch, other: PathMatch): number {
  const [a, b] = [textOf(one), textOf(other)];
  const exact = Number(other.type === "exact") - Number(one.type === "exact");
  return exact || b.length - a.length || RANK[one.type] - RANK[other.type] || (a < b ? -1 : a > b ? 1 : 0);
}
