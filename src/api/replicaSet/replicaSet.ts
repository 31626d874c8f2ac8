import type { ReplicaSet, ReplicaSetSpec } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, countColumn, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { replicaSets } from "../resources.ts";
import { selectorCell, selectorText } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";
import { withTemplateDefaults } from "../template/defaults.ts";
import { nameWarnings } from "../template/warnings.ts";
import { validate, validateStatus } from "./validate.ts";

const defaults = (object: ReplicaSet): ReplicaSet => ({
  ...object,
  spec: {
    // A missing selector is refused, which this must not hide.
    ...(object.spec ?? ({} as ReplicaSetSpec)),
    replicas: object.spec?.replicas ?? 1,
    template: withTemplateDefaults(object.spec?.template),
  },
});

export const replicaSet: Kind<ReplicaSet> = {
  ...replicaSets,
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  type: "ReplicaSet",
  subresources: ["status"],
  scaling: {
    replicas: ({ spec }) => spec?.replicas ?? 0,
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec!, replicas } }),
    status: ({ spec, status }) => ({ replicas: status?.replicas ?? 0, selector: selectorText(spec?.selector) ?? "" }),
  },
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) => firstGeneration({ ...withoutServerFields(object), status: { replicas: 0 } }),
  prepareForUpdate: (next, previous) => nextGeneration(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings: nameWarnings,
  // SVC-319
  columns: [
    nameColumn,
    countColumn("Desired", "How many pods it is to keep."),
    countColumn("Current", "How many there are."),
    countColumn("Ready", "How many of them are ready."),
    ageColumn,
    ...containerColumns,
    wideColumn("Selector", "The labels by which it knows its pods."),
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, nowMs),
    ...containerCells(object.spec?.template),
    selectorCell(object.spec?.selector),
  ],
  selectableFields: namespacedFields,
};
