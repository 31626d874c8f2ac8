import { isApiError } from "../../api/status.ts";
import type { Item } from "../cache/item.ts";
import { sendItems } from "../output/shape.ts";
import { isSelected, selectionOf } from "../selection.ts";
import { writerOf } from "../writer.ts";
import { deleteObject } from "./delete-object.ts";
import { readDeleteOptions } from "./delete-options.ts";
import type { Verb } from "./verb.ts";

/** DELETE of a collection: each object that matches, one by one; answers with those deleted (SVC-194). */
export const deletecollection: Verb = async (context, exchange, route) => {
  const options = await readDeleteOptions(exchange);
  const selection = selectionOf(route, exchange.query);
  const meant = [...context.cache.of(route.kind).range(selection.prefix)].filter((item) => isSelected(selection, item));
  const deleted: Item[] = [];
  for (const { object } of meant) {
    const { namespace, name = "", uid } = object.metadata;
    try {
      const preconditions = { ...options.preconditions, ...(uid === undefined ? {} : { uid }) };
      const at = { namespace, name };
      const meantOne = { ...options, preconditions };
      deleted.push((await deleteObject(context, route.kind, at, meantOne, writerOf(exchange))).item);
    } catch (error) {
      // Gone, or another object of that name: what was meant is deleted.
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  }
  await sendItems(exchange, context, route.kind, deleted, { resourceVersion: String(context.cache.revision) });
};
