import type { EndpointSlice } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { endpointSlices } from "../resources.ts";

export const endpointSlice: Kind<EndpointSlice> = {
  ...endpointSlices,
  singular: "endpointslice",
  shortNames: [],
  categories: [],
  type: "EndpointSlice",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) =>
    validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
  columns: [nameColumn, ageColumn],
  row: (object, nowMs) => [nameOf(object), age(object, nowMs)],
  selectableFields: namespacedFields,
};
