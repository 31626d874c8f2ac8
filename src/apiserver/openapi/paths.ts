import type { Kind } from "../../api/kind.ts";
import { refTo, schemaName, type Schema } from "./schemas.ts";

const text = (name: string, description: string): Schema => ({
  name,
  in: "query",
  description,
  schema: { type: "string", uniqueItems: true },
});
const whole = (name: string, description: string): Schema => ({
  name,
  in: "query",
  description,
  schema: { type: "integer", uniqueItems: true },
});
const flag = (name: string, description: string): Schema => ({
  name,
  in: "query",
  description,
  schema: { type: "boolean", uniqueItems: true },
});

/** Clients look for `fieldValidation` here to learn that the server checks fields itself. */
const WRITE = [
  text("dryRun", "All: everything is done but storing."),
  text("fieldManager", "Name of the writer."),
  text("fieldValidation", "Ignore, Warn or Strict: what becomes of fields that are not known."),
];
const PATCH = [...WRITE, flag("force", "Takes fields over from other managers.")];
const DELETE = [
  text("dryRun", "All: everything is done but storing."),
  whole("gracePeriodSeconds", "Seconds until the object must be gone."),
  text("propagationPolicy", "Orphan, Background or Foreground."),
];
const LIST = [
  flag("allowWatchBookmarks", "Asks for BOOKMARK events."),
  text("continue", "Where a list goes on."),
  text("fieldSelector", "Selects by fields."),
  text("labelSelector", "Selects by labels."),
  whole("limit", "Most items in one answer."),
  text("resourceVersion", "How new the answer must be at least."),
  text("resourceVersionMatch", "Exact or NotOlderThan."),
  flag("sendInitialEvents", "Begins a watch with what is there."),
  whole("timeoutSeconds", "Life of a watch."),
  flag("watch", "Watches instead of listing."),
];

const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

const inPath = (name: string): Schema => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string", uniqueItems: true },
});

/** The operations of one kind, by path. */
export function pathsOf(kind: Kind): Record<string, Schema> {
  const name = schemaName(kind.type, kind);
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const answer = (schema: string): Schema => ({
    200: { description: "OK", content: { "application/json": { schema: refTo(schema) } } },
    401: { description: "Unauthorized" },
  });
  const body = (types: readonly string[], schema: Schema): Schema => ({
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
    required: true,
  });
  const operation = (action: string, parameters: readonly Schema[], answers: string, more: Schema = {}): Schema => ({
    tags: [kind.group === "" ? `core_${kind.version}` : `${kind.group.split(".")[0]}_${kind.version}`],
    operationId: `${action}${kind.namespaced ? "Namespaced" : ""}${kind.kind}`,
    parameters,
    responses: answer(answers),
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk,
    ...more,
  });
  const whole = body(["application/json", "application/yaml"], refTo(name));
  const patchBody = body(PATCH_TYPES, { type: "object" });
  const status = schemaName("Status", kind);
  const shared = kind.namespaced ? [inPath("namespace")] : [];
  const named = [inPath("name"), ...shared];
  const object = (suffix: string): Schema => ({
    get: operation(`get${suffix}`, [], name),
    put: operation(`put${suffix}`, WRITE, name, { requestBody: whole }),
    patch: operation(`patch${suffix}`, PATCH, name, { requestBody: patchBody }),
    parameters: named,
  });
  const paths: Record<string, Schema> = {
    [collection]: {
      get: operation("list", LIST, `${name}List`),
      post: operation("post", WRITE, name, { requestBody: whole }),
      delete: operation("deletecollection", [...DELETE, ...LIST], `${name}List`),
      parameters: shared,
    },
    [`${collection}/{name}`]: { ...object(""), delete: operation("delete", DELETE, status) },
  };
  if (kind.namespaced)
    paths[`${root}/${kind.plural}`] = { get: operation("list", LIST, `${name}List`), parameters: [] };
  if (kind.subresources.includes("status")) paths[`${collection}/{name}/status`] = object("Status");
  return paths;
}
