import type { PersistentVolumeClaim } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { persistentVolumeClaims } from "../resources.ts";
import { columns, row } from "./columns.ts";
import { withDataSources } from "./dataSources.ts";
import { validate, validateStatus } from "./validate.ts";
import { warnings } from "./warnings.ts";

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
  prepareForCreate: (object) => withDataSources({ ...withoutServerFields(object), status: { phase: "Pending" } }),
  prepareForUpdate: (next, previous) => withDataSources(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings,
  columns,
  row,
  selectableFields: namespacedFields,
};
