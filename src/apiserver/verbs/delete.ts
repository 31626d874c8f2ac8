import { detailsOf } from "../errors.ts";
import { sendItem } from "../output/shape.ts";
import { sendStatus } from "../http/respond.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { deleterOf } from "../writer.ts";
import { deleteObject } from "./delete-object.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { atOf, type Verb } from "./verb.ts";

const sendSuccess = (exchange: Exchange, kind: Kind, object: KubeObject): Promise<void> => {
  const { name = "", uid } = object.metadata;
  return sendStatus(exchange, 200, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { ...detailsOf(kind, name), ...(uid === undefined ? {} : { uid }) },
  });
};

/** DELETE of one object. */
export const remove: Verb = async (context, exchange, route) => {
  const options = await readDeleteOptions(exchange);
  const { item, isGone } = await deleteObject(context, route.kind, atOf(route), options, deleterOf(exchange));
  if (isGone && route.kind.deleteAnswers === "status") return sendSuccess(exchange, route.kind, item.object);
  const isWaitedFor = !isGone && options.orphanDependents === false;
  return sendItem(exchange, context, route.kind, item, isWaitedFor ? 202 : 200);
};
