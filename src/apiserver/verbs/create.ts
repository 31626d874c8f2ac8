import { readObject } from "../http/decode-object.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { writerOf } from "../writer.ts";
import { placedAt } from "./change-object.ts";
import { createObject } from "./create-object.ts";
import type { Verb } from "./verb.ts";

/** POST to a collection. */
export const create: Verb = async (context, exchange, route) => {
  const { kind, namespace } = route;
  const shape = shapeOf(exchange);
  const writer = writerOf(exchange, "CreateOptions");
  const object = await readObject(exchange, kind);
  const item = await createObject(context, kind, placedAt(kind, object, { namespace }), writer);
  await sendItem(exchange, context, kind, item, 201, shape);
};
