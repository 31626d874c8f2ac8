import { invalid } from "../../api/fault.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { invalidObject } from "../../api/status.ts";
import { badRequest, conflict } from "../errors.ts";
import type { At } from "../write.ts";
import { placedAt } from "./change-object.ts";

/**
 * What a patch made of an object, when it may still be that object. `previous` is undefined where the patch creates one.
 *
 * @throws ApiError BadRequest for another name or namespace, or none; Invalid or Conflict for another uid
 */
export function patchedAt(kind: Kind, next: KubeObject, at: At, previous: KubeObject | undefined): KubeObject {
  const { uid, name } = next.metadata;
  if (uid !== undefined && uid !== "" && previous === undefined) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(kind, at.name, why);
  }
  const placed = placedAt(kind, next, at);
  if (name === undefined || name === "") {
    throw badRequest(`the name of the object (${at.name} based on URL) was undeterminable: name must be provided`);
  }
  if (uid !== undefined && uid !== "" && uid !== previous?.metadata.uid) {
    throw invalidObject(kind.group, kind.kind, name, [invalid("metadata.uid", uid, "field is immutable")]);
  }
  return placed;
}
