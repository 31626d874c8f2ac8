import { scale, scaleOf } from "../../api/scale/scale.ts";
import type { Scale } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Kind } from "../../api/kind.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import type { Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { conflict, notFound } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { readObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { reached, revisionOf } from "../listing/revisions.ts";
import { sendItem, shapeOf } from "../output/shape.ts";
import { itemAt, type At } from "../write.ts";
import { writerOf, type Writer } from "../writer.ts";
import { changeObject, checkNamed, placedAt } from "./change-object.ts";
import { APPLY, decodePatched, patchOf, patchType } from "./patch.ts";
import { patchedAt } from "./patched.ts";
import { atOf, type Verb } from "./verb.ts";

/** The Scale of a stored workload, as an item to answer with. */
function scaleItem({ scaling }: Kind, { key, revision, object }: Item): Item {
  if (scaling === undefined) throw new TypeError(`answering with a Scale: ${key} has none`);
  const said = scaleOf(scaling, object);
  return { key, revision, object: said, text: JSON.stringify(said) };
}

/** The workload, keeping as many pods as its new Scale says. @throws ApiError Invalid, Conflict */
function scaled({ scaling, group, plural }: Kind, object: KubeObject, next: Scale): KubeObject {
  if (scaling === undefined) return object;
  const { name = "", uid } = object.metadata;
  const faults = scale.validate(next, undefined);
  if (faults.length > 0) throw invalidObject(scale.group, scale.kind, name, faults);
  if (next.metadata.uid && next.metadata.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${next.metadata.uid}, UID in object meta: ${uid}`;
    throw conflict({ group, plural: `${plural}/scale` }, name, why);
  }
  const { resourceVersion: _, ...metadata } = object.metadata;
  const { resourceVersion } = next.metadata;
  return scaling.withReplicas(
    { ...object, metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion } },
    next.spec?.replicas ?? 0,
  );
}

/** Changes a workload through its Scale, by the rules for the workload itself. */
async function change(
  context: Context,
  exchange: Exchange,
  kind: Kind,
  at: At,
  writer: Writer,
  next: (current: Scale) => Scale,
): Promise<void> {
  const shape = shapeOf(exchange);
  const item = await changeObject(context, kind, at, { ...writer, by: "main", subresource: "scale" }, (current) =>
    scaled(kind, current.object, next(scaleItem(kind, current).object as Scale)),
  );
  await sendItem(exchange, context, scale, scaleItem(kind, item), 200, shape);
}

/** GET of `/scale`: how many pods a workload wants, has, and knows them by. */
export const getScale: Verb = async (context, exchange, route) => {
  const said = exchange.query.get("resourceVersion") ?? "";
  const revision = revisionOf(said);
  if (revision !== undefined) await reached(context, revision, said);
  const item = itemAt(context, route.kind, atOf(route));
  if (item === undefined) throw notFound(route.kind, route.name ?? "");
  await sendItem(exchange, context, scale, scaleItem(route.kind, item));
};

/** PUT of `/scale`. */
export const putScale: Verb = async (context, exchange, route) => {
  const at = atOf(route);
  const said = await readObject(exchange, scale);
  checkNamed(said, at);
  const next = placedAt(scale, said, at) as Scale;
  await change(context, exchange, route.kind, at, writerOf(exchange), () => next);
};

/** PATCH of `/scale`, which is patched as if it were stored. @throws ApiError UnsupportedMediaType for an apply patch */
export const patchScale: Verb = async (context, exchange, route) => {
  const at = atOf(route);
  const type = patchType(exchange);
  if (type === APPLY) {
    const why = `415: Unsupported Media Type: a Scale cannot be applied; apply the ${route.kind.kind} with spec.replicas, or patch its Scale`;
    throw new ApiError("UnsupportedMediaType", why, {});
  }
  const text = (await readBody(exchange.request)).toString("utf8");
  const patch = patchOf(scale, type, text);
  await change(context, exchange, route.kind, at, writerOf(exchange, "PatchOptions"), (current) => {
    return patchedAt(scale, decodePatched(exchange, scale, patch(current)), at, current) as Scale;
  });
};
