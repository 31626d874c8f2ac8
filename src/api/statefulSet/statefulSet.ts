import type { StatefulSet } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { statefulSets } from "../resources.ts";
import { selectorText } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";
import { defaults } from "./defaults.ts";
import { validate, validateStatus } from "./validate.ts";
import { warnings } from "./warnings.ts";

export const statefulSet: Kind<StatefulSet> = {
  ...statefulSets,
  singular: "statefulset",
  shortNames: ["sts"],
  categories: ["all"],
  type: "StatefulSet",
  subresources: ["status"],
  scaling: {
    replicas: ({ spec }) => spec?.replicas ?? 0,
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec!, replicas } }),
    status: ({ spec, status }) => ({ replicas: status?.replicas ?? 0, selector: selectorText(spec?.selector) ?? "" }),
  },
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) =>
    firstGeneration({ ...withoutServerFields(object), status: { availableReplicas: 0, replicas: 0 } }),
  prepareForUpdate: (next, previous) => nextGeneration(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings,
  // SVC-321
  columns: [
    nameColumn,
    column("Ready", "How many of its pods are ready, of how many."),
    ageColumn,
    ...containerColumns,
  ],
  // SVC-344
  row: (object, nowMs) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    age(object, nowMs),
    ...containerCells(object.spec?.template),
  ],
  selectableFields: namespacedFields,
};
