import { notFound } from "../errors.ts";
import { sendItem } from "../output/shape.ts";
import { reached, revisionOf } from "../listing/revisions.ts";
import { itemAt } from "../write.ts";
import { atOf, type Verb } from "./verb.ts";

/** GET of one object, also through `/status`. */
export const get: Verb = async (context, exchange, route) => {
  const said = exchange.query.get("resourceVersion") ?? "";
  const revision = revisionOf(said);
  if (revision !== undefined) await reached(context, revision, said);
  const item = itemAt(context, route.kind, atOf(route));
  if (item === undefined) throw notFound(route.kind, route.name ?? "");
  await sendItem(exchange, context, route.kind, item);
};
