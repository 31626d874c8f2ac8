import { invalid } from "../../api/fault.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { invalidObject } from "../../api/status.ts";
import { conflict } from "../errors.ts";
import type { At } from "../write.ts";
import { checkNamed, placedAt } from "./change-object.ts";

/**
 * What a patch made of an object, when it may still be that object. `previous` is undefined where the patch creates one.
 *
 * @throws ApiError BadRequest for another name or namespace, or none; Invalid or Conflict for another uid
 */
export function patchedAt(kind: Kind, next: KubeObject, at: At, previous: KubeObject | undefined): KubeObject {
  const { uid, name = "" } = next.metadata;
  if (uid !== undefined && uid !== "" && previous === undefined) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(kind, at.name, why);
  }
  const placed = placedAt(kind, next, at);
  checkNamed(next, at);
  if (uid !== undefined && uid !== "" && uid !== previous?.metadata.uid) {
    // Two of upstream's checks find it.
    const fault = invalid("metadata.uid", uid, "field is immutable");
    throw invalidObject(kind.group, kind.kind, name, [fault, fault]);
  }
  return placed;
}
