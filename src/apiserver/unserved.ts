import { ApiError } from "../api/status.ts";
import { SOUGHT_AMONG_CUSTOM, unservedBelowPods, unservedResource } from "../api/unserved.ts";
import type { KindIndex } from "./route.ts";
import { segmentsOf } from "./segments.ts";

const CRDS = "customresourcedefinitions";

/**
 * The refusal of a request for what Kubernetes, or an extension of it, would serve: it says what that would have done. Undefined for every
 * other path. The words for pods are found by kubectl only in a Status without a name: with one it takes the pod for missing.
 */
export function refusalOfUnserved(method: string, path: string, kinds: KindIndex): ApiError | undefined {
  const segments = segmentsOf(path);
  const isCore = segments[0] === "api";
  if (!isCore && segments[0] !== "apis") return undefined;
  const [group = "", version = ""] = isCore ? ["", segments[1]] : segments.slice(1, 3);
  let rest = segments.slice(isCore ? 2 : 3);
  if (rest[0] === "watch") rest = rest.slice(1);
  if (rest[0] === "namespaces" && rest.length > 2) rest = rest.slice(2);
  const [plural = "", , below = ""] = rest;
  if (plural === "") return undefined;
  const isPods = group === "" && plural === "pods";
  const isServed = kinds.find(group, version, plural) !== undefined;
  const why = isServed ? (isPods ? unservedBelowPods(below) : undefined) : unservedResource(group, plural);
  if (why === undefined) return undefined;
  const isSought = plural === CRDS && rest.length === 1 && method === "GET";
  const said = isSought ? SOUGHT_AMONG_CUSTOM : why;
  return new ApiError("NotFound", said, {
    ...(group === "" ? {} : { group }),
    kind: isPods ? `pods/${below}` : plural,
  });
}
