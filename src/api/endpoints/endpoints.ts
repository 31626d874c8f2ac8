import type { Endpoints } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { endpoints as resource } from "../resources.ts";

export const endpoints: Kind<Endpoints> = {
  ...resource,
  singular: "endpoints",
  shortNames: ["ep"],
  categories: [],
  type: "Endpoints",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) =>
    validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
  columns: [nameColumn, ageColumn],
  row: (object, nowMs) => [nameOf(object), age(object, nowMs)],
  selectableFields: namespacedFields,
};
