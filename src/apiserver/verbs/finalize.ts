import type { KubeObject } from "../../api/object.ts";
import { readObject } from "../http/decode-object.ts";
import { sendItem } from "../output/shape.ts";
import { writerOf } from "../writer.ts";
import { changeObject, placedAt } from "./change-object.ts";
import { atOf, type Verb } from "./verb.ts";

type WithSpec = KubeObject & { spec?: { finalizers?: string[] } };

/** PUT of `namespaces/NAME/finalize`: only `spec.finalizers` is taken; a deleted namespace without any goes. */
export const finalize: Verb = async (context, exchange, route) => {
  const { kind } = route;
  const at = atOf(route);
  const asked: WithSpec = placedAt(kind, await readObject(exchange, kind), at);
  const item = await changeObject(context, kind, at, { ...writerOf(exchange), by: "server" }, ({ object }) => {
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
    return next;
  });
  await sendItem(exchange, context, kind, item);
};
