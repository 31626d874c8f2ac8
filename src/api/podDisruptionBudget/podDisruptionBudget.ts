import type { PodDisruptionBudget } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, countColumn, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { podDisruptionBudgets } from "../resources.ts";
import { validate, validateStatus } from "./validate.ts";

const NOTHING = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };

const orNone = (value: number | string | undefined): string => (value === undefined ? "N/A" : String(value));

/** How many of some pods must stay when others are evicted; what that allows at the moment is its status. */
export const podDisruptionBudget: Kind<PodDisruptionBudget> = {
  ...podDisruptionBudgets,
  singular: "poddisruptionbudget",
  shortNames: ["pdb"],
  categories: [],
  type: "PodDisruptionBudget",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  needsRevision: true,
  defaults: (object) => ({ ...object, status: { ...NOTHING, ...object.status } }),
  prepareForCreate: (object) => firstGeneration({ ...withoutServerFields(object), status: { ...NOTHING } }),
  prepareForUpdate: (next, previous) => nextGeneration(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  columns: [
    nameColumn,
    column("Min Available", "How many pods must stay."),
    column("Max Unavailable", "How many pods may be missing."),
    countColumn("Allowed Disruptions", "How many pods may be evicted now."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    orNone(object.spec?.minAvailable),
    orNone(object.spec?.maxUnavailable),
    object.status?.disruptionsAllowed ?? 0,
    age(object, nowMs),
  ],
  selectableFields: namespacedFields,
};
