import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, countColumn, labelsText, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { daemonSets } from "../resources.ts";
import { selectorCell } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";
import { withTemplateDefaults } from "../template/defaults.ts";
import { firstTemplateGeneration, nextTemplateGeneration, withTemplateGeneration } from "./templateGeneration.ts";
import { validate, validateStatus } from "./validate.ts";

const HISTORY = 10;

function withStrategyDefaults(strategy: DaemonSetUpdateStrategy | undefined): DaemonSetUpdateStrategy {
  const type = strategy?.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { maxSurge = 0, maxUnavailable = 1 } = strategy?.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { maxSurge, maxUnavailable } };
}

const defaults = (object: DaemonSet): DaemonSet => ({
  ...withTemplateGeneration(object),
  spec: {
    // A missing selector is refused, which this must not hide.
    ...(object.spec ?? ({} as DaemonSetSpec)),
    template: withTemplateDefaults(object.spec?.template),
    updateStrategy: withStrategyDefaults(object.spec?.updateStrategy),
    revisionHistoryLimit: object.spec?.revisionHistoryLimit ?? HISTORY,
  },
});

const NOTHING = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

export const daemonSet: Kind<DaemonSet> = {
  ...daemonSets,
  singular: "daemonset",
  shortNames: ["ds"],
  categories: ["all"],
  type: "DaemonSet",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) =>
    firstTemplateGeneration(firstGeneration({ ...withoutServerFields(object), status: { ...NOTHING } })),
  prepareForUpdate: (next, previous) =>
    nextTemplateGeneration(nextGeneration(keepStatus(next, previous), previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  // SVC-320
  columns: [
    nameColumn,
    countColumn("Desired", "On how many nodes it is to run a pod."),
    countColumn("Current", "On how many of them it has one."),
    countColumn("Ready", "On how many the pod is ready."),
    countColumn("Up-to-date", "On how many the pod is made from its template as it is now."),
    countColumn("Available", "On how many the pod has been ready for long enough."),
    column("Node Selector", "The labels of the nodes it runs on."),
    ageColumn,
    ...containerColumns,
    wideColumn("Selector", "The labels by which it knows its pods."),
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    labelsText(object.spec?.template.spec?.nodeSelector),
    age(object, nowMs),
    ...containerCells(object.spec?.template),
    selectorCell(object.spec?.selector),
  ],
  selectableFields: namespacedFields,
};
