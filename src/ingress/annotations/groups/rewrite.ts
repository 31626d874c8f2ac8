import type { Rewrite } from "../../settings/settings.ts";
import { usesRegex } from "../expressions.ts";
import { differently, ignored, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

function targetOf(said: Said): Rewrite | undefined {
  const target = said.text("rewrite-target");
  if (target === undefined) return undefined;
  if (/\s/.test(target) || /\$(?!\d)/.test(target)) {
    said.wrong("rewrite-target", "a path with at most $1, $2 … in it", "the path is not changed");
    return undefined;
  }
  return { target: /^[/$]/.test(target) ? target : `/${target}` };
}

function appRootOf(said: Said): string | undefined {
  const root = said.text("app-root");
  if (root === undefined) return undefined;
  // Two slashes would be another host.
  if (/^\/(?![/\\])\S*$/.test(root)) return root;
  said.wrong("app-root", "a path that begins with one /", "/ is served as any other path");
  return undefined;
}

/** What becomes of the path. */
export const rewrite: AnnotationGroup = {
  title: "Paths",
  annotations: [
    {
      name: "rewrite-target",
      value: "path",
      verdict: differently(
        "paths are expressions only where the target has $1 … or a path is clearly one, and only in this Ingress; /foo does not match /foobar",
      ),
    },
    {
      name: "use-regex",
      value: "true or false",
      verdict: differently("only the paths of this Ingress are expressions, not those of others with the same host"),
      exceptions: { false: same },
    },
    { name: "app-root", value: "path", verdict: same },
    { name: "enable-rewrite-log", value: "true or false", verdict: ignored("the access log says what was asked for") },
  ],
  read(said) {
    return {
      useRegex: usesRegex(said),
      settings: { rewrite: targetOf(said), appRoot: appRootOf(said) },
    };
  },
};
