import type { Kind } from "../../api/kind.ts";
import type { ListMeta } from "../../api/generated/types.ts";
import { apiVersionOf } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import type { Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { negotiate, OBJECT_TRANSFORMS, type Shape } from "../http/accept.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendShaped } from "../http/respond.ts";
import { partialOf } from "./partial.ts";
import { includeObjectOf, tableOf, type TableOptions } from "./table.ts";

/** The name upstream's server has for a kind's Go type, which its refusals show. */
const goType = ({ group, kind }: Kind): string => `*${group === "" ? "core" : group.split(".")[0]}.${kind}`;

/** What the client wants to see of objects. */
export const shapeOf = (exchange: Exchange): Shape => negotiate(exchange, OBJECT_TRANSFORMS);

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
    return sendShaped(exchange, code, JSON.stringify(table), shape);
  }
  if (shape.as === "PartialObjectMetadata") {
    return sendShaped(exchange, code, JSON.stringify(partialOf(item.object, shape.version)), shape);
  }
  if (shape.as === "PartialObjectMetadataList") {
    throw new ApiError(
      "NotAcceptable",
      `you requested ${shape.as}, but the requested object is not a list (${goType(kind)})`,
    );
  }
  return sendShaped(exchange, code, item.text, shape);
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
    const table = tableOf(kind, items, metadata, tableOptions(exchange, context, shape));
    return sendShaped(exchange, 200, JSON.stringify(table), shape);
  }
  if (shape.as === "PartialObjectMetadataList") {
    const list = {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${shape.version}`,
      metadata,
      items: items.map((item) => partialOf(item.object, shape.version)),
    };
    return sendShaped(exchange, 200, JSON.stringify(list), shape);
  }
  if (shape.as === "PartialObjectMetadata") {
    throw new ApiError(
      "NotAcceptable",
      `you requested ${shape.as}, but the requested object is a list (${goType(kind)}List)`,
    );
  }
  const head = JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata });
  // What the list says of all items is not said again by each of them.
  const own = `{"apiVersion":${JSON.stringify(apiVersionOf(kind))},"kind":${JSON.stringify(kind.kind)},`;
  const texts = items.map(({ text }) => (text.startsWith(own) ? `{${text.slice(own.length)}` : text));
  return sendShaped(exchange, 200, `${head.slice(0, -1)},"items":[${texts.join(",")}]}`, shape);
}
