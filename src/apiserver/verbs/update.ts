import { invalid } from "../../api/fault.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { invalidObject, isApiError } from "../../api/status.ts";
import { readObject } from "../http/decode-object.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { writerOf } from "../writer.ts";
import { changeObject, checkNamed, placedAt } from "./change-object.ts";
import { createObject } from "./create-object.ts";
import { atOf, type Verb } from "./verb.ts";

/** @throws ApiError Invalid for an object without a version, of a kind that may only be replaced by who has read it */
function checkRevisionNamed({ needsRevision, group, plural }: Kind, { metadata }: KubeObject, name: string): void {
  const { resourceVersion = "" } = metadata;
  if (needsRevision !== true || (resourceVersion !== "" && resourceVersion !== "0")) return;
  throw invalidObject(group, plural, name, [invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
}

/** PUT of a whole object, or of its status through `/status`. Creates it where the kind allows that, through either (SVC-189). */
export const update: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const at = atOf(route);
  const shape = shapeOf(exchange);
  const said = await readObject(exchange, kind);
  checkNamed(said, at);
  const object = placedAt(kind, said, at);
  const writer = writerOf(exchange);
  const by = route.subresource === "status" ? "status" : "main";
  try {
    const item = await changeObject(context, kind, at, { ...writer, by }, () => {
      checkRevisionNamed(kind, object, at.name);
      return object;
    });
    await sendItem(exchange, context, kind, item, 200, shape);
  } catch (error) {
    const { resourceVersion, uid } = object.metadata;
    if (!isApiError(error, "NotFound") || !kind.createOnUpdate || resourceVersion || uid) throw error;
    const item = await createObject(context, kind, object, writer, route.subresource);
    await sendItem(exchange, context, kind, item, 201, shape);
  }
};
