import type { RoleBinding } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkPathSegment } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { roleBindings } from "../resources.ts";
import { bindingColumns, bindingRow, defaultBinding, validateBinding } from "./binding.ts";

/** Who has a Role, or a ClusterRole, within one namespace. */
export const roleBinding: Kind<RoleBinding> = {
  ...roleBindings,
  singular: "rolebinding",
  shortNames: [],
  categories: [],
  type: "RoleBinding",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: defaultBinding,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkPathSegment }),
    ...validateBinding(next, previous, true),
  ],
  columns: bindingColumns,
  row: bindingRow,
  selectableFields: namespacedFields,
};
