import { parseBody } from "../http/body.ts";
import { sendStatus } from "../http/respond.ts";
import { writerOf } from "../writer.ts";
import { deleteObject } from "./delete-object.ts";
import { deleteOptionsOf } from "./delete-options.ts";
import { atOf, type Verb } from "./verb.ts";

/** POST of `pods/NAME/eviction`: deletes the pod with the options given. There are no disruption budgets to ask. */
export const eviction: Verb = async (context, exchange, route) => {
  const said = (await parseBody(exchange.request)) as { deleteOptions?: unknown } | null;
  const options = deleteOptionsOf(said?.deleteOptions ?? undefined, exchange.query);
  await deleteObject(context, route.kind, atOf(route), options, { ...writerOf(exchange), subresource: "eviction" });
  await sendStatus(exchange, 201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
};
