import type { KubeObject } from "../../api/object.ts";
import { timestamp } from "../../observe/clock.ts";
import { readObject } from "../http/decode-object.ts";
import { trackUpdate } from "../managed/track-update.ts";
import { sendItem } from "../output/shape.ts";
import { writerOf } from "../writer.ts";
import { changeObject, checkNamed, placedAt } from "./change-object.ts";
import { atOf, type Verb } from "./verb.ts";

type WithSpec = KubeObject & { spec?: { finalizers?: string[] } };

/** PUT of `namespaces/NAME/finalize`: only `spec.finalizers` is taken; a deleted namespace without any goes. */
export const finalize: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const at = atOf(route);
  const said = await readObject(exchange, kind);
  checkNamed(said, at);
  const asked: WithSpec = placedAt(kind, said, at);
  const writer = writerOf(exchange);
  const now = timestamp(context.clock.now());
  const item = await changeObject(context, kind, at, { ...writer, by: "server" }, ({ object }) => {
    const current: WithSpec = object;
    const { resourceVersion: _, ...metadata } = current.metadata;
    const { resourceVersion, uid } = asked.metadata;
    const next: WithSpec = {
      ...current,
      metadata: {
        ...metadata,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(uid === undefined ? {} : { uid }),
      },
      spec: { ...current.spec, finalizers: asked.spec?.finalizers ?? [] },
    };
    return trackUpdate(kind, current, next, { manager: writer.fieldManager ?? "", subresource: "finalize", now });
  });
  await sendItem(exchange, context, kind, item);
};
