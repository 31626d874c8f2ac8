import { badRequest } from "../errors.ts";
import { readyToEvict } from "../eviction/ready.ts";
import { parseBody } from "../http/body.ts";
import { sendStatus } from "../http/respond.ts";
import { writerOf } from "../writer.ts";
import { deleteObject } from "./delete-object.ts";
import { deleteOptionsOf } from "./delete-options.ts";
import { atOf, type Verb } from "./verb.ts";

interface Eviction {
  readonly metadata?: { readonly name?: unknown } | null;
  readonly deleteOptions?: unknown;
}

/** POST of `pods/NAME/eviction`: deletes the pod, when its PodDisruptionBudget lets it go. */
export const eviction: Verb = async (context, exchange, route) => {
  const at = atOf(route);
  const said = (await parseBody(exchange.request)) as Eviction | null;
  const name = said?.metadata?.name;
  if (name !== undefined && name !== null && name !== at.name) {
    throw badRequest("name in URL does not match name in Eviction object");
  }
  const options = deleteOptionsOf(said?.deleteOptions ?? undefined, exchange.query);
  const writer = writerOf(exchange, "CreateOptions");
  const evict = () =>
    deleteObject(
      context,
      route.kind,
      at,
      { ...options, dryRun: options.dryRun || writer.dryRun },
      { ...writer, subresource: "eviction", ready: readyToEvict(context) },
    );
  // Evictions of one namespace most often take from one budget: at once they would only wear each other out.
  await context.turns.take(`${at.namespace ?? ""}/evictions`, evict);
  await sendStatus(exchange, 201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
};
