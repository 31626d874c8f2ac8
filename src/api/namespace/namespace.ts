import { invalid, type Fault } from "../fault.ts";
import type { Namespace } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { clusterFields } from "../meta/fields.ts";
import { checkLabel, checkQualifiedName } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { namespaces } from "../resources.ts";

/** Kept in `spec.finalizers` until all that lives in the namespace is gone. */
const KUBERNETES_FINALIZER = "kubernetes";
/** The label by which selectors name a namespace; the server sets it on every one. */
const METADATA_NAME_LABEL = "kubernetes.io/metadata.name";

const withPhase = (object: Namespace): Namespace =>
  object.status?.phase ? object : { ...object, status: { ...object.status, phase: "Active" } };

function withNameLabel(object: Namespace): Namespace {
  const { name, labels } = object.metadata;
  if (!name || labels?.[METADATA_NAME_LABEL] === name) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...labels, [METADATA_NAME_LABEL]: name } } };
}

function prepareForCreate(object: Namespace): Namespace {
  const finalizers = object.spec?.finalizers ?? [];
  return withNameLabel({
    ...withoutServerFields(object),
    spec: {
      finalizers: finalizers.includes(KUBERNETES_FINALIZER) ? finalizers : [...finalizers, KUBERNETES_FINALIZER],
    },
    status: { phase: "Active" },
  });
}

/** `spec.finalizers` change through `/finalize` alone, `status` through `/status`. */
function prepareForUpdate(next: Namespace, previous: Namespace): Namespace {
  const { spec: _spec, status: _status, ...kept } = carry(next, previous);
  return {
    ...kept,
    ...(previous.spec === undefined ? {} : { spec: previous.spec }),
    ...(previous.status === undefined ? {} : { status: previous.status }),
  };
}

function validateFinalizers(object: Namespace): Fault[] {
  return (object.spec?.finalizers ?? []).flatMap((finalizer, index) => {
    const field = `spec.finalizers[${index}]`;
    const faults = checkQualifiedName(finalizer).map((why) => invalid(field, finalizer, why));
    if (faults.length === 0 && finalizer !== KUBERNETES_FINALIZER && !finalizer.includes("/")) {
      faults.push(invalid(field, finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
    }
    return faults;
  });
}

function validatePhase(next: Namespace): Fault[] {
  const phase = next.status?.phase ?? "";
  const ending = next.metadata.deletionTimestamp !== undefined;
  if (ending && phase !== "Terminating") {
    return [invalid("status.phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return !ending && phase !== "Active"
    ? [invalid("status.phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")]
    : [];
}

export const namespace: Kind<Namespace> = {
  ...namespaces,
  singular: "namespace",
  shortNames: ["ns"],
  categories: [],
  type: "Namespace",
  subresources: ["status", "finalize"],
  deleteAnswers: "object",
  createOnUpdate: false,
  defaults: (object) => withNameLabel(withPhase(object)),
  prepareForCreate,
  prepareForUpdate,
  prepareForStatusUpdate: (next, previous) => ({
    ...carry(next, previous),
    ...(previous.spec === undefined ? {} : { spec: previous.spec }),
  }),
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkLabel }),
    ...validateFinalizers(next),
  ],
  validateStatus: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous.metadata, { namespaced: false, checkName: checkLabel }),
    ...validatePhase(next),
  ],
  columns: [nameColumn, column("Status", "`Active`, or `Terminating` while its content is removed."), ageColumn],
  row: (object, nowMs) => [nameOf(object), object.status?.phase ?? "", age(object, nowMs)],
  selectableFields: (object) => ({ ...clusterFields(object), "status.phase": object.status?.phase ?? "" }),
};
