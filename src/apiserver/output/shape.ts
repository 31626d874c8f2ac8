import type { Kind } from "../../api/kind.ts";
import type { ListMeta } from "../../api/generated/types.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { negotiate, OBJECT_TRANSFORMS, type Shape } from "../http/accept.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendText } from "../http/respond.ts";
import { partialOf } from "./partial.ts";
import { includeObjectOf, tableOf, type TableOptions } from "./table.ts";

/** What the client wants to see of objects. */
export const shapeOf = (exchange: Exchange): Shape => negotiate(exchange.request.headers.accept, OBJECT_TRANSFORMS);

export const tableOptions = (exchange: Exchange, context: Context, shape: Shape): TableOptions => ({
  version: shape.version,
  includeObject: includeObjectOf(exchange.query),
  nowMs: context.clock.now(),
});

/** Answers with one object, in the shape asked for. */
export async function sendItem(
  exchange: Exchange,
  context: Context,
  kind: Kind,
  item: Item,
  code = 200,
  shape = shapeOf(exchange),
): Promise<void> {
  if (shape.as === "Table") {
    const { resourceVersion = "" } = item.object.metadata;
    const table = tableOf(kind, [item], { resourceVersion }, tableOptions(exchange, context, shape));
    return sendText(exchange, code, JSON.stringify(table));
  }
  if (shape.as === "PartialObjectMetadata") {
    return sendText(exchange, code, JSON.stringify(partialOf(item.object, shape.version)));
  }
  return sendText(exchange, code, item.text);
}

/** Answers with a list, in the shape asked for. Whole objects are joined from the JSON they already have. */
export async function sendItems(
  exchange: Exchange,
  context: Context,
  kind: Kind,
  items: readonly Item[],
  metadata: ListMeta,
  shape = shapeOf(exchange),
): Promise<void> {
  if (shape.as === "Table") {
    return sendText(
      exchange,
      200,
      JSON.stringify(tableOf(kind, items, metadata, tableOptions(exchange, context, shape))),
    );
  }
  if (shape.as === "PartialObjectMetadataList") {
    const list = {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${shape.version}`,
      metadata,
      items: items.map((item) => partialOf(item.object, shape.version)),
    };
    return sendText(exchange, 200, JSON.stringify(list));
  }
  const head = JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata });
  const texts = items.map((item) => item.text);
  return sendText(exchange, 200, `${head.slice(0, -1)},"items":[${texts.join(",")}]}`);
}
