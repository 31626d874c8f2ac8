import type { Pod } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { badRequest, conflict } from "../errors.ts";
import { parseBody } from "../http/body.ts";
import { sendStatus } from "../http/respond.ts";
import { writerOf } from "../writer.ts";
import { changeObject } from "./change-object.ts";
import { atOf, type Verb } from "./verb.ts";

interface Binding {
  readonly metadata?: { readonly uid?: string; readonly name?: string };
  readonly target?: { readonly kind?: string; readonly name?: string };
}

/** POST of `pods/NAME/binding`: puts a pod on a node, once. */
export const binding: Verb = async (context, exchange, route) => {
  const at = atOf(route);
  const said = (await parseBody(exchange.request)) as Binding | null;
  const nodeName = said?.target?.name;
  if (typeof nodeName !== "string" || nodeName === "") throw badRequest("target.name: Required value");
  if (said?.target?.kind !== undefined && said.target.kind !== "" && said.target.kind !== "Node") {
    throw badRequest(`target.kind: Unsupported value: ${JSON.stringify(said.target.kind)}: supported values: "Node"`);
  }
  await changeObject(context, route.kind, at, { ...writerOf(exchange), by: "server" }, ({ object }) => {
    const pod = object as Pod;
    const refuse = (why: string): Error => conflict({ group: "", plural: "pods/binding" }, at.name, why);
    if (said?.metadata?.uid && said.metadata.uid !== pod.metadata.uid) {
      throw refuse(
        `Precondition failed: UID in precondition: ${said.metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
      );
    }
    if (pod.metadata.deletionTimestamp !== undefined)
      throw refuse(`pod ${at.name} is being deleted, cannot be assigned to a host`);
    if (pod.spec?.nodeName) throw refuse(`pod ${at.name} is already assigned to node "${pod.spec.nodeName}"`);
    const conditions = (pod.status?.conditions ?? []).filter((condition) => condition.type !== "PodScheduled");
    const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: timestamp(context.clock.now()) };
    const bound = {
      ...pod,
      spec: { ...pod.spec, nodeName },
      status: { ...pod.status, conditions: [...conditions, scheduled] },
    };
    return bound;
  });
  await sendStatus(exchange, 201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
};
