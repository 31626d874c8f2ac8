import { ApiError } from "../../api/status.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { badRequest } from "../errors.ts";
import { mediaType, parseJson, readBody, checkShape } from "../http/body.ts";
import { decodeObject } from "../http/decode-object.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { jsonPatch, readJsonPatch } from "../patch/json.ts";
import { mergePatch } from "../patch/merge.ts";
import { strategicMergePatch } from "../patch/strategic.ts";
import { writerOf } from "../writer.ts";
import { changeObject, placedAt } from "./change-object.ts";
import { atOf, type Verb } from "./verb.ts";

const TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

/** The patch as a function from what is there to what shall be. @throws ApiError */
function patchOf(kind: Kind, type: string, body: unknown): (object: KubeObject) => unknown {
  if (type === TYPES[0]) {
    const operations = readJsonPatch(body);
    return (object) => jsonPatch(object, operations);
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw badRequest("the patch should be an object");
  if (type === TYPES[1]) return (object) => mergePatch(object, body);
  return (object) => strategicMergePatch(object, body, kind.type);
}

/** PATCH of an object or its status. A patch without `resourceVersion` is applied anew when another writer came between. */
export const patch: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const at = atOf(route);
  const shape = shapeOf(exchange);
  const writer = writerOf(exchange);
  const type = mediaType(exchange.request);
  const text = (await readBody(exchange.request)).toString("utf8");
  if (!TYPES.includes(type)) {
    throw new ApiError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${TYPES.join(", ")}`,
    );
  }
  const apply = patchOf(kind, type, parseJson(text));
  const by = route.subresource === "status" ? "status" : "main";
  const item = await changeObject(context, kind, at, { ...writer, by }, ({ object }) => {
    const patched = apply(object);
    checkShape(patched);
    return placedAt(kind, decodeObject(exchange, kind, patched), at);
  });
  await sendItem(exchange, context, kind, item, 200, shape);
};
