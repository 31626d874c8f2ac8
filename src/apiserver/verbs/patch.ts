import { invalid } from "../../api/fault.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError, invalidObject, isApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { mediaType, parseJson, readBody, checkShape } from "../http/body.ts";
import { decodeObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { jsonPatch, readJsonPatch } from "../patch/json.ts";
import { mergePatch } from "../patch/merge.ts";
import { strategicMergePatch } from "../patch/strategic.ts";
import { writerOf } from "../writer.ts";
import { apply } from "./apply.ts";
import { changeObject } from "./change-object.ts";
import { patchedAt } from "./patched.ts";
import { atOf, type Verb } from "./verb.ts";

const TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
const APPLY = "application/apply-patch+yaml";

/** The patch as a function from what is there to what shall be. @throws ApiError */
function patchOf(kind: Kind, type: string, body: unknown): (object: KubeObject) => unknown {
  if (type === TYPES[0]) {
    const operations = readJsonPatch(body);
    return (object) => jsonPatch(object, operations);
  }
  // A strategic merge patch may be nothing; a merge patch of null would remove the object.
  if (typeof body !== "object" || Array.isArray(body) || (body === null && type === TYPES[1])) {
    throw badRequest("error decoding patch: the patch should be an object");
  }
  if (type === TYPES[1]) return (object) => mergePatch(object, body);
  return (object) => {
    const patched = strategicMergePatch(object, body ?? {}, kind.type) as Record<string, unknown>;
    // Upstream does not ask what the result says of its type.
    return { ...patched, apiVersion: object.apiVersion, kind: object.kind };
  };
}

/** What does not decode is the patch's fault. @throws ApiError Invalid */
function decodePatched(exchange: Exchange, kind: Kind, patched: unknown): KubeObject {
  try {
    checkShape(patched);
    return decodeObject(exchange, kind, patched);
  } catch (error) {
    if (!isApiError(error, "BadRequest")) throw error;
    const why = error.message.replace(/^.* cannot be handled as a \w+: /s, "");
    throw invalidObject("", "", "", [invalid("patch", JSON.stringify(patched), why)]);
  }
}

/** PATCH of an object or its status. A patch without `resourceVersion` is applied anew when another writer came between. */
export const patch: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const at = atOf(route);
  const type = mediaType(exchange.request);
  if (type !== APPLY && !TYPES.includes(type)) {
    throw new ApiError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${[...TYPES, APPLY].join(", ")}`,
    );
  }
  const shape = shapeOf(exchange);
  const text = (await readBody(exchange.request)).toString("utf8");
  if (type === APPLY) return apply(context, exchange, route, text);
  const writer = writerOf(exchange, "PatchOptions");
  const change = patchOf(kind, type, parseJson(text));
  const by = route.subresource === "status" ? "status" : "main";
  const item = await changeObject(context, kind, at, { ...writer, by }, ({ object }) =>
    patchedAt(kind, decodePatched(exchange, kind, change(object)), at, object),
  );
  await sendItem(exchange, context, kind, item, 200, shape);
};
