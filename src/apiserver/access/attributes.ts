import type { Identity } from "../identity/identity.ts";

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
    }
  | { readonly resource: undefined; readonly verb: string; readonly path: string };

/** A request and who makes it: all that is asked to judge whether it may be made. */
export type Attributes = RequestInfo & { readonly identity: Identity };

/** `/api/v1/…` and `/apis/GROUP/VERSION/…` with something behind. */
const RESOURCE_PATH = /^\/(?:api\/(?<core>[^/]+)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))\/(?<rest>.+)$/;
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

const nameSelected = (fieldSelector: string): string | undefined =>
  /(?:^|,)\s*metadata\.name\s*==?\s*([^,=!\s]+)/.exec(fieldSelector)?.[1];

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // The router refuses such a path; until then it stands for itself.
    return segment;
  }
}

/** Reads a request's meaning from its method and URL. Never refuses: a path that names no resource is judged as a path. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const found = RESOURCE_PATH.exec(path)?.groups;
  if (found === undefined) return { resource: undefined, verb: method.toLowerCase(), path };
  let rest = found["rest"]!.replace(/\/$/, "").split("/").map(decoded);
  let verb = VERBS[method] ?? "";
  if (rest[0] === "watch" && rest.length > 1) {
    verb = "watch";
    rest = rest.slice(1);
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
    if (verb === "get") verb = asked !== null && !["false", "0"].includes(asked.toLowerCase()) ? "watch" : "list";
    if (verb === "delete") verb = "deletecollection";
    // A client that may see one object by name may list and watch just that one.
    if (verb !== "create") name = nameSelected(query.get("fieldSelector") ?? "") ?? "";
  }
  return {
    resource,
    group: found["group"] ?? "",
    version: found["core"] ?? found["version"] ?? "",
    subresource,
    namespace,
    name,
    verb,
    path,
  };
}
