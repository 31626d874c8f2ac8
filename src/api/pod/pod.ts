import type { Pod } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { pods } from "../resources.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";

export const pod: Kind<Pod> = {
  ...pods,
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  type: "Pod",
  subresources: ["status"],
  deleteAnswers: "object",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate: (next, previous) =>
    validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
  columns: [nameColumn, ageColumn],
  row: (object, nowMs) => [nameOf(object), age(object, nowMs)],
  selectableFields: namespacedFields,
};
