import type { Ingress } from "../../api/generated/types.ts";
import type { Said } from "./said.ts";

/** What no path has that is meant letter by letter. A dot may be either. */
const isExpression = (path: string): boolean => /[\\^$*+?()[\]{}|]/.test(path);

/** Paths whose type leaves it to us whether they are expressions. */
const pathsOf = (ingress: Ingress): readonly string[] =>
  (ingress.spec?.rules ?? [])
    .flatMap(({ http }) => http?.paths ?? [])
    .filter(({ pathType }) => pathType !== "Exact")
    .map(({ path }) => path ?? "/");

const hasExpression = (ingress: Ingress): boolean => pathsOf(ingress).some(isExpression);

/**
 * Whether paths are expressions: by `use-regex`, and, as ingress-nginx takes them with every `rewrite-target`, where the target takes
 * from what they caught or one of them can be nothing else.
 */
export function usesRegex(said: Said): boolean {
  if (said.truth("use-regex", false)) return true;
  // A canary says the paths of its main Ingress, and need not say what they are.
  if (said.truth("canary", false) && hasExpression(said.ingress)) return true;
  const target = said.text("rewrite-target");
  return target !== undefined && (/\$\d/.test(target) || hasExpression(said.ingress));
}
