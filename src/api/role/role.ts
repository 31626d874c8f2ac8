import type { Role } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkPathSegment } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { roles } from "../resources.ts";
import { roleColumns, roleRow } from "./columns.ts";
import { validateRules } from "./rules.ts";

/** What may be done in one namespace. */
export const role: Kind<Role> = {
  ...roles,
  singular: "role",
  shortNames: [],
  categories: [],
  type: "Role",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkPathSegment }),
    ...validateRules(next.rules, true),
  ],
  columns: roleColumns,
  row: roleRow,
  selectableFields: namespacedFields,
};
