import { isApiError } from "../../api/status.ts";
import { readObject } from "../http/decode-object.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { writerOf } from "../writer.ts";
import { changeObject, checkNamed, placedAt } from "./change-object.ts";
import { createObject } from "./create-object.ts";
import { atOf, type Verb } from "./verb.ts";

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
    const item = await changeObject(context, kind, at, { ...writer, by }, () => object);
    await sendItem(exchange, context, kind, item, 200, shape);
  } catch (error) {
    const { resourceVersion, uid } = object.metadata;
    if (!isApiError(error, "NotFound") || !kind.createOnUpdate || resourceVersion || uid) throw error;
    const item = await createObject(context, kind, object, writer, route.subresource);
    await sendItem(exchange, context, kind, item, 201, shape);
  }
};
