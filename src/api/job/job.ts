import type { Job } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { jobs } from "../resources.ts";
import { columns, row } from "./columns.ts";
import { defaults } from "./defaults.ts";
import { withSelector } from "./labels.ts";
import { nameWarnings } from "../template/warnings.ts";
import { validate, validateStatus } from "./validate.ts";

export const job: Kind<Job> = {
  ...jobs,
  singular: "job",
  shortNames: [],
  categories: ["all"],
  type: "Job",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  orphansDependents: true,
  defaults,
  prepareForCreate: (object) => firstGeneration({ ...withSelector(withoutServerFields(object)), status: {} }),
  prepareForUpdate: (next, previous) => nextGeneration(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings: nameWarnings,
  columns,
  row,
  selectableFields: (object) => ({
    ...namespacedFields(object),
    "status.successful": String(object.status?.succeeded ?? 0),
  }),
};
