import { isApiError } from "../../api/status.ts";
import type { Item } from "../cache/item.ts";
import { listOptions } from "../listing/list-options.ts";
import { sendItems } from "../output/shape.ts";
import { selectionOf } from "../listing/selection.ts";
import { deleterOf } from "../writer.ts";
import { deleteObject } from "./delete-object.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { readPage } from "./list.ts";
import type { Verb } from "./verb.ts";

/** DELETE of a collection: each object that matches, one by one; answers with those deleted (SVC-194). */
export const deletecollection: Verb = async (context, exchange, route) => {
  const options = await readDeleteOptions(exchange);
  const said = listOptions(exchange.query);
  const selection = selectionOf(route, exchange.query);
  // What is deleted is what such a list would show.
  const meant = (await readPage(context, route, selection, said)).items;
  const deleted: Item[] = [];
  for (const { object } of meant) {
    const { namespace, name = "", uid } = object.metadata;
    try {
      const preconditions = { ...(uid === undefined ? {} : { uid }), ...options.preconditions };
      const at = { namespace, name };
      const meantOne = { ...options, preconditions };
      deleted.push((await deleteObject(context, route.kind, at, meantOne, deleterOf(exchange))).item);
    } catch (error) {
      // Gone, or another object of that name: what was meant is deleted. What the client itself demanded is another matter.
      const isGone =
        isApiError(error, "NotFound") || (options.preconditions === undefined && isApiError(error, "Conflict"));
      if (!isGone) throw error;
    }
  }
  await sendItems(exchange, context, route.kind, deleted, { resourceVersion: String(context.cache.revision) });
};
