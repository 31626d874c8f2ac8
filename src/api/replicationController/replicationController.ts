import type { ReplicationController } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, countColumn, labelsText, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { replicationControllers } from "../resources.ts";
import { selectorText } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";
import { withTemplateDefaults } from "../template/defaults.ts";
import { nameWarnings } from "../template/warnings.ts";
import { validate, validateStatus } from "./validate.ts";

const isEmpty = (labels: Record<string, string> | undefined): boolean => Object.keys(labels ?? {}).length === 0;

/** What is not said of selector and labels is taken from the template. */
function defaults(object: ReplicationController): ReplicationController {
  const { metadata, spec } = object;
  const template = spec?.template === undefined ? undefined : withTemplateDefaults(spec.template);
  const labels = template?.metadata?.labels;
  const isTaken = !isEmpty(labels);
  return {
    ...object,
    metadata: isTaken && isEmpty(metadata.labels) ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      replicas: spec?.replicas ?? 1,
      ...(isTaken && isEmpty(spec?.selector) ? { selector: labels } : {}),
      ...(template === undefined ? {} : { template }),
    },
  };
}

export const replicationController: Kind<ReplicationController> = {
  ...replicationControllers,
  singular: "replicationcontroller",
  shortNames: ["rc"],
  categories: ["all"],
  type: "ReplicationController",
  subresources: ["status"],
  scaling: {
    replicas: ({ spec }) => spec?.replicas ?? 0,
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
    status: ({ spec, status }) => ({
      replicas: status?.replicas ?? 0,
      selector: selectorText({ matchLabels: spec?.selector ?? {} }) ?? "",
    }),
  },
  deleteAnswers: "status",
  createOnUpdate: false,
  orphansDependents: true,
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
    labelsText(object.spec?.selector),
  ],
  selectableFields: (object) => ({
    ...namespacedFields(object),
    "status.replicas": String(object.status?.replicas ?? 0),
  }),
};
