import { invalid } from "../../api/fault.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError, invalidObject, isApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { checkShape, readBody, readJson } from "../http/body.ts";
import { decodeObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { jsonWord } from "../http/json-word.ts";
import { jsonPatch, readJsonPatch } from "../patch/json.ts";
import { mergePatch } from "../patch/merge.ts";
import { strategicMergePatch } from "../patch/strategic.ts";
import { writerOf } from "../writer.ts";
import { apply } from "./apply.ts";
import { changeObject } from "./change-object.ts";
import { patchedAt } from "./patched.ts";
import { atOf, type Verb } from "./verb.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
export const APPLY = "application/apply-patch+yaml";
const TYPES = [JSON_PATCH, MERGE, STRATEGIC, APPLY];

/** The type of a patch, which upstream compares letter by letter; a body of no type is none. @throws ApiError UnsupportedMediaType */
export function patchType(exchange: Exchange): string {
  const type = (exchange.request.headers["content-type"] ?? "").split(";", 1)[0]!.trim();
  if (TYPES.includes(type)) return type;
  throw new ApiError("UnsupportedMediaType", "415: Unsupported Media Type", {});
}

/** The patch as a function from what is there to what shall be. @throws ApiError BadRequest, Invalid */
export function patchOf(kind: Kind, type: string, text: string): (object: KubeObject) => unknown {
  // Upstream says what it was doing with every patch but the strategic one.
  const refused = (why: string): ApiError => badRequest(type === STRATEGIC ? why : `error decoding patch: ${why}`);
  const body = readJson(text, refused);
  if (type === JSON_PATCH) {
    const operations = readJsonPatch(body);
    return (object) => jsonPatch(object, operations);
  }
  if (typeof body !== "object" || Array.isArray(body)) {
    throw refused(`json: cannot unmarshal ${jsonWord(body)} into Go value of type map[string]interface {}`);
  }
  // A strategic merge patch may be nothing; a merge patch of null would remove the object.
  if (body === null && type === MERGE) throw badRequest("Invalid JSON Patch");
  if (type === MERGE) return (object) => mergePatch(object, body);
  return (object) => {
    const patched = strategicMergePatch(object, body ?? {}, kind.type) as Record<string, unknown>;
    // Upstream does not ask what the result says of its type.
    return { ...patched, apiVersion: object.apiVersion, kind: object.kind };
  };
}

/** What does not decode is the patch's fault. @throws ApiError Invalid */
export function decodePatched(exchange: Exchange, kind: Kind, patched: unknown): KubeObject {
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
  const type = patchType(exchange);
  const shape = shapeOf(exchange);
  const text = (await readBody(exchange.request)).toString("utf8");
  if (type === APPLY) return apply(context, exchange, route, text);
  const writer = writerOf(exchange, "PatchOptions");
  // An object that is not there is told before a patch that cannot be read.
  let change: ReturnType<typeof patchOf> | undefined;
  const by = route.subresource === "status" ? "status" : "main";
  const item = await changeObject(context, kind, at, { ...writer, by }, ({ object }) => {
    change ??= patchOf(kind, type, text);
    return patchedAt(kind, decodePatched(exchange, kind, change(object)), at, object);
  });
  await sendItem(exchange, context, kind, item, 200, shape);
};
