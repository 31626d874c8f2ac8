import type { Deployment } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { sameJson } from "../meta/values.ts";
import { deployments } from "../resources.ts";
import { selectorText } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";
import { defaults } from "./defaults.ts";
import { nameWarnings } from "../template/warnings.ts";
import { validate, validateStatus } from "./validate.ts";

/** Annotations are copied to the ReplicaSets, so a change of them is something to be done, too. */
function prepareForUpdate(next: Deployment, previous: Deployment): Deployment {
  const kept = nextGeneration(keepStatus(next, previous), previous);
  if (kept.metadata.generation !== previous.metadata.generation) return kept;
  if (sameJson(kept.metadata.annotations ?? {}, previous.metadata.annotations ?? {})) return kept;
  return { ...kept, metadata: { ...kept.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

/** Unlike other kinds' labels, a Deployment's do not change through its status. */
function prepareForStatusUpdate(next: Deployment, previous: Deployment): Deployment {
  const { labels: _, ...metadata } = next.metadata;
  const { labels } = previous.metadata;
  return keepSpec({ ...next, metadata: labels === undefined ? metadata : { ...metadata, labels } }, previous);
}

export const deployment: Kind<Deployment> = {
  ...deployments,
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  type: "Deployment",
  subresources: ["status"],
  scaling: {
    replicas: ({ spec }) => spec?.replicas ?? 0,
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec!, replicas } }),
    status: ({ spec, status }) => ({ replicas: status?.replicas ?? 0, selector: selectorText(spec?.selector) ?? "" }),
  },
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) => firstGeneration({ ...withoutServerFields(object), status: {} }),
  prepareForUpdate,
  prepareForStatusUpdate,
  validate,
  validateStatus,
  warnings: nameWarnings,
  // SVC-318
  columns: [
    nameColumn,
    column("Ready", "How many of its pods are ready, of how many."),
    column("Up-to-date", "How many pods are made from its template as it is now."),
    column("Available", "How many pods have been ready for long enough."),
    ageColumn,
    ...containerColumns,
    wideColumn("Selector", "The labels by which it knows its pods."),
  ],
  // SVC-344
  row: (object, nowMs) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    object.status?.updatedReplicas ?? 0,
    object.status?.availableReplicas ?? 0,
    age(object, nowMs),
    ...containerCells(object.spec?.template),
    selectorText(object.spec?.selector) ?? "<invalid>",
  ],
  selectableFields: namespacedFields,
};
