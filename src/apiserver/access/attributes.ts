import type { Identity } from "../identity/identity.ts";
import { decodedPath, segmentsOf } from "../segments.ts";

/** What a request means to do, before anybody has looked whether what it names is served (Kubernetes `RequestInfo`). */
export type RequestInfo =
  | {
      readonly resource: string;
      /** `""` is the core group. */
      readonly group: string;
      readonly version: string;
      readonly subresource: string;
      /** `""` for cluster-wide resources and for all namespaces. */
      readonly namespace: string;
      /** `""` for collections. */
      readonly name: string;
      /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
      readonly verb: string;
      readonly path: string;
      /** What a list or watch, or a deletion of a collection, is narrowed by; absent where it says nothing. */
      readonly fieldSelector?: string;
    }
  | { readonly resource: undefined; readonly verb: string; readonly path: string };

/** A request and who makes it: all that is asked to judge whether it may be made. */
export type Attributes = RequestInfo & { readonly identity: Identity };

/** What follows a namespace's own name, as against a resource in that namespace. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);
const VERBS: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

const SELECTING = new Set(["list", "watch", "deletecollection"]);

const nameSelected = (fieldSelector: string): string | undefined =>
  /(?:^|,)\s*metadata\.name\s*==?\s*([^,=!\s]+)/.exec(fieldSelector)?.[1];

/**
 * Reads a request's meaning from its method and URL. Never refuses: a path that names no resource is judged as a path. Its segments are
 * those of the router: what is served must be what was judged.
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = segmentsOf(path);
  const isCore = segments[0] === "api";
  const [group = "", version = ""] = isCore ? ["", segments[1]] : segments.slice(1, 3);
  let rest = segments.slice(isCore ? 2 : 3);
  if ((!isCore && segments[0] !== "apis") || rest.length === 0) {
    return { resource: undefined, verb: method.toLowerCase(), path: decodedPath(path) };
  }
  let verb = VERBS[method] ?? "";
  let fieldSelector = query.get("fieldSelector") ?? "";
  if (rest[0] === "watch" && rest.length > 1) {
    verb = "watch";
    rest = rest.slice(1);
    // That path names one object or many, and only the latter would heed a selector.
    fieldSelector = "";
  }
  let namespace = "";
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1]!;
    if (rest.length > 2 && !(rest.length === 3 && NAMESPACE_SUBRESOURCES.has(rest[2]!))) rest = rest.slice(2);
  }
  const [resource = "", given = "", subresource = ""] = rest;
  let name = given;
  if (name === "") {
    const asked = query.get("watch");
    if (verb === "get") {
      verb = asked !== null && !["false", "0"].includes(asked.toLowerCase()) ? "watch" : "list";
      // A client that may see one object by name may list and watch just that one.
      name = nameSelected(fieldSelector) ?? "";
    }
    if (verb === "delete") verb = "deletecollection";
  }
  return {
    resource,
    group,
    version,
    subresource,
    namespace,
    name,
    verb,
    path,
    ...(fieldSelector !== "" && SELECTING.has(verb) ? { fieldSelector } : {}),
  };
}
