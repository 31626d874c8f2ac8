import { forbidden, type Fault } from "../fault.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import { parseQuantity } from "../meta/quantity.ts";
import { sameJson } from "../meta/values.ts";

const FORBIDDEN =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

const nanoOf = (amounts: Record<string, string> | undefined): bigint => parseQuantity(amounts?.["storage"] ?? "0").nano;

/** The spec with all that may change set back to what it was. */
function fixedOf(
  next: PersistentVolumeClaimSpec,
  previous: PersistentVolumeClaimSpec,
  isBound: boolean,
): PersistentVolumeClaimSpec {
  const fixed: PersistentVolumeClaimSpec = { ...next };
  // What it is given, and of which class, is said once.
  if (!previous.volumeName) fixed.volumeName = previous.volumeName;
  if (previous.storageClassName === undefined) fixed.storageClassName = previous.storageClassName;
  if (!isBound) return fixed;
  fixed.volumeAttributesClassName = previous.volumeAttributesClassName;
  const requests = next.resources?.requests;
  const was = previous.resources?.requests?.["storage"];
  if (requests !== undefined && was !== undefined) {
    fixed.resources = { ...next.resources, requests: { ...requests, storage: was } };
  }
  return fixed;
}

/** What is claimed stays as it was, but for more room once it is given; how it was named may be said once. */
export function validateClaimChange(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): Fault[] {
  const [spec, was] = [next.spec ?? {}, previous.spec ?? {}];
  const faults: Fault[] = [];
  if (!sameJson(fixedOf(spec, was, next.status?.phase === "Bound"), was)) faults.push(forbidden("spec", FORBIDDEN));
  const size = nanoOf(spec.resources?.requests);
  if (size < nanoOf(was.resources?.requests) && size <= nanoOf(previous.status?.capacity)) {
    faults.push(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  const current = previous.status?.currentVolumeAttributesClassName;
  const field = "spec.volumeAttributesClassName";
  const named = spec.volumeAttributesClassName;
  if (current !== undefined && !named && named !== was.volumeAttributesClassName) {
    const to = named === undefined ? "nil" : "empty string";
    const why = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
    faults.push(forbidden(field, why));
  }
  return faults;
}
