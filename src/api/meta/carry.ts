import type { KubeObject } from "../object.ts";
import type { ObjectMeta } from "../generated/types.ts";

/** What the server alone decides: a writer's value is replaced by the stored one. */
const SERVER_FIELDS = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "selfLink",
] as const satisfies (keyof ObjectMeta)[];

/** The metadata of an update, with the server's own fields as they were. `uid` keeps the writer's value when one was given, so that validation can refuse it. */
function carryMetadata(next: ObjectMeta, previous: ObjectMeta): ObjectMeta {
  const carried: ObjectMeta = { ...next };
  for (const field of SERVER_FIELDS) {
    if (field === "uid" && next.uid !== undefined && next.uid !== "") continue;
    if (previous[field] === undefined) delete carried[field];
    else Object.assign(carried, { [field]: previous[field] });
  }
  return carried;
}

/** An update that keeps the server's metadata and nothing else of the previous object. */
export const carry = <T extends KubeObject>(next: T, previous: T): T => ({
  ...next,
  metadata: carryMetadata(next.metadata, previous.metadata),
});

/** A create without what only the server may say. `uid`, `creationTimestamp` and the generated name are the server's to add. */
export function withoutServerFields<T extends KubeObject>(object: T): T {
  const {
    generation: _,
    deletionTimestamp: _t,
    deletionGracePeriodSeconds: _g,
    selfLink: _s,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}
