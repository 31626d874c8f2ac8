import type { ClusterRoleBinding } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { clusterFields } from "../meta/fields.ts";
import { checkPathSegment } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { clusterRoleBindings } from "../resources.ts";
import { bindingColumns, bindingRow, defaultBinding, validateBinding } from "../roleBinding/binding.ts";

/** Who has a ClusterRole everywhere. */
export const clusterRoleBinding: Kind<ClusterRoleBinding> = {
  ...clusterRoleBindings,
  singular: "clusterrolebinding",
  shortNames: [],
  categories: [],
  type: "ClusterRoleBinding",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: defaultBinding,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkPathSegment }),
    ...validateBinding(next, previous, false),
  ],
  columns: bindingColumns,
  row: bindingRow,
  selectableFields: clusterFields,
};
