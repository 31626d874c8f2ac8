import type { PersistentVolumeClaim } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { persistentVolumeClaims } from "../resources.ts";
import { columns, row } from "./columns.ts";
import { validate, validateStatus } from "./validate.ts";

const defaults = (object: PersistentVolumeClaim): PersistentVolumeClaim => ({
  ...object,
  spec: {
    ...object.spec,
    resources: object.spec?.resources ?? {},
    volumeMode: object.spec?.volumeMode ?? "Filesystem",
  },
  status: { ...object.status, phase: object.status?.phase || "Pending" },
});

/** Room for files that outlives the pods which use it. */
export const persistentVolumeClaim: Kind<PersistentVolumeClaim> = {
  ...persistentVolumeClaims,
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  categories: [],
  type: "PersistentVolumeClaim",
  subresources: ["status"],
  deleteAnswers: "object",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) => ({ ...withoutServerFields(object), status: { phase: "Pending" } }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  columns,
  row,
  selectableFields: (object) => ({ ...namespacedFields(object), name: object.metadata.name ?? "" }),
};
