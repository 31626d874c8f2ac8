import type { Kind } from "../../api/kind.ts";
import { deletesMany, type Served } from "../discovery/resources.ts";
import type { Review } from "../reviews/review.ts";
import { refTo, schemaName, type Schema } from "./schemas.ts";

const query =
  (type: string) =>
  (name: string, description: string): Schema => ({
    name,
    in: "query",
    description,
    schema: { type, uniqueItems: true },
  });
const text = query("string");
const whole = query("integer");
const flag = query("boolean");

const DRY_RUN = text("dryRun", "All: everything is done but storing.");
/** Clients look for `fieldValidation` here to learn that the server checks fields itself. */
const WRITE = [
  DRY_RUN,
  text("fieldManager", "Name of the writer."),
  text("fieldValidation", "Ignore, Warn or Strict: what becomes of fields that are not known or are there twice."),
];
const PATCH = [...WRITE, flag("force", "Takes fields over from other managers.")];
const DELETE = [
  DRY_RUN,
  whole("gracePeriodSeconds", "Seconds until the object must be gone."),
  flag("ignoreStoreReadErrorWithClusterBreakingPotential", "Deletes even what cannot be read from the store."),
  flag("orphanDependents", "An older way to say propagationPolicy: true is Orphan."),
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
/** What of a list's options a deletion of many has. */
const DELETE_MANY = [...DELETE, ...LIST.filter(({ name }) => name !== "allowWatchBookmarks" && name !== "watch")];
const PRETTY = text("pretty", "Whether the answer is laid out for people.");

const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

const inPath = (name: string, description: string): Schema => ({
  name,
  in: "path",
  description,
  required: true,
  schema: { type: "string", uniqueItems: true },
});
const NAMESPACE = inPath("namespace", "The namespace.");
const NAME = inPath("name", "The object's name.");

const WORDS: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
const ANSWER_TYPES = ["application/json", "application/yaml"];

const content = (types: readonly string[], schema: Schema): Schema =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

/** The word of an operation's id for each action. */
const VERBS: Readonly<Record<string, string>> = {
  list: "list",
  post: "create",
  deletecollection: "delete",
  get: "read",
  put: "replace",
  patch: "patch",
  delete: "delete",
};

interface Operation {
  readonly action: string;
  readonly codes: readonly number[];
  /** Name of the schema that is answered with. */
  readonly answer: string;
  readonly parameters?: readonly Schema[];
  readonly body?: Schema;
  readonly suffix?: string;
}

const idOf = ({ group, version }: Served): string => {
  const first = group === "" ? "core" : group.split(".")[0]!;
  return first[0]!.toUpperCase() + first.slice(1) + version[0]!.toUpperCase() + version.slice(1);
};

function operation(served: Served, scope: string, asked: Operation): Schema {
  const { action, codes, answer, parameters = [], body, suffix = "" } = asked;
  const { group, version, kind } = served;
  const first = group === "" ? "core" : group.split(".")[0]!;
  const types = action === "list" ? [...ANSWER_TYPES, "application/json;stream=watch"] : ANSWER_TYPES;
  const answers = codes.map((code) => [code, { description: WORDS[code], content: content(types, refTo(answer)) }]);
  return {
    tags: [`${first}_${version}`],
    description: `${VERBS[action]} ${kind}${suffix === "" ? "" : ` ${suffix.toLowerCase()}`}`,
    operationId: `${VERBS[action]}${idOf(served)}${scope}${kind}${suffix}`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...(Object.fromEntries(answers) as Schema), 401: { description: "Unauthorized" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
}

const rootOf = ({ group, version }: Served): string => (group === "" ? `/api/${version}` : `/apis/${group}/${version}`);

function pathsOfReview(review: Review): Record<string, Schema> {
  const name = schemaName(review.type);
  const body = { content: content(["*/*"], refTo(name)), required: true };
  const scope = review.namespaced ? "Namespaced" : "";
  return {
    [`${rootOf(review)}${review.namespaced ? "/namespaces/{namespace}" : ""}/${review.plural}`]: {
      post: operation(review, scope, { action: "post", codes: [200, 201, 202], answer: name, parameters: WRITE, body }),
      parameters: [...(review.namespaced ? [NAMESPACE] : []), PRETTY],
    },
  };
}

/** `/scale` answers with, and takes, an object of another kind. */
function scaleOperations(kind: Kind, patchBody: Schema): Schema {
  const answer = schemaName("Scale");
  const body: Schema = { content: content(["*/*"], refTo(answer)), required: true };
  const ask = (asked: Omit<Operation, "answer" | "suffix">): Schema => ({
    ...operation(kind, "Namespaced", { ...asked, answer, suffix: "Scale" }),
    "x-kubernetes-group-version-kind": { group: "autoscaling", version: "v1", kind: "Scale" },
  });
  return {
    get: ask({ action: "get", codes: [200] }),
    put: ask({ action: "put", codes: [200, 201], parameters: WRITE, body }),
    patch: ask({ action: "patch", codes: [200, 201], parameters: PATCH, body: patchBody }),
  };
}

function pathsOfKind(kind: Kind): Record<string, Schema> {
  const name = schemaName(kind.type);
  const list = `${name}List`;
  const status = schemaName("Status");
  const collection = `${rootOf(kind)}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const scope = kind.namespaced ? "Namespaced" : "";
  const body: Schema = { content: content(["*/*"], refTo(name)), required: true };
  const patchBody: Schema = {
    content: content(PATCH_TYPES, refTo("io.k8s.apimachinery.pkg.apis.meta.v1.Patch")),
    required: true,
  };
  const deleteBody: Schema = { content: content(["*/*"], refTo(schemaName("DeleteOptions"))) };
  const ask = (asked: Operation): Schema => operation(kind, scope, asked);
  const object = (suffix: string): Schema => ({
    get: ask({ action: "get", codes: [200], answer: name, suffix }),
    put: ask({ action: "put", codes: [200, 201], answer: name, parameters: WRITE, body, suffix }),
    patch: ask({ action: "patch", codes: [200, 201], answer: name, parameters: PATCH, body: patchBody, suffix }),
  });
  const many = operation(kind, kind.namespaced ? "Collection" + scope : "Collection", {
    action: "deletecollection",
    codes: [200],
    answer: status,
    parameters: DELETE_MANY,
    body: deleteBody,
  });
  const shared = [...(kind.namespaced ? [NAMESPACE] : []), PRETTY];
  const listing = { action: "list", codes: [200], answer: list, parameters: LIST };
  const removed = kind.deleteAnswers === "object" ? name : status;
  return {
    [collection]: {
      get: ask(listing),
      post: ask({ action: "post", codes: [200, 201, 202], answer: name, parameters: WRITE, body }),
      ...(deletesMany(kind) ? { delete: many } : {}),
      parameters: shared,
    },
    [`${collection}/{name}`]: {
      ...object(""),
      delete: ask({ action: "delete", codes: [200, 202], answer: removed, parameters: DELETE, body: deleteBody }),
      parameters: [NAME, ...shared],
    },
    ...(kind.namespaced
      ? {
          [`${rootOf(kind)}/${kind.plural}`]: {
            get: operation(kind, "", { ...listing, suffix: "ForAllNamespaces" }),
            parameters: [PRETTY],
          },
        }
      : {}),
    ...(kind.scaling === undefined
      ? {}
      : { [`${collection}/{name}/scale`]: { ...scaleOperations(kind, patchBody), parameters: [NAME, ...shared] } }),
    ...(kind.subresources.includes("status")
      ? { [`${collection}/{name}/status`]: { ...object("Status"), parameters: [NAME, ...shared] } }
      : {}),
  };
}

/** The operations on what is served, by path. */
export const pathsOf = (served: Served): Record<string, Schema> =>
  "answer" in served ? pathsOfReview(served) : pathsOfKind(served);
