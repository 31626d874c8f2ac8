import type { KubeObject } from "../object.ts";
import { carry } from "./carry.ts";

/** An object of a kind whose status is written through `/status` alone. */
interface WithStatus extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** An update through the main resource: the status stays as it was. */
export function keepStatus<T extends WithStatus>(next: T, previous: T): T {
  const kept: T = { ...carry(next, previous) };
  if (previous.status === undefined) delete kept.status;
  else kept.status = previous.status;
  return kept;
}

/** An update through `/status`: the spec stays as it was; labels, annotations and finalizers are taken. */
export function keepSpec<T extends WithStatus>(next: T, previous: T): T {
  const kept: T = { ...carry(next, previous) };
  if (previous.spec === undefined) delete kept.spec;
  else kept.spec = previous.spec;
  return kept;
}
