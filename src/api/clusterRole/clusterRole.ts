import type { ClusterRole } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { clusterFields } from "../meta/fields.ts";
import { clusterRoles } from "../resources.ts";
import { roleColumns, roleRow } from "../role/columns.ts";
import { validate } from "./validate.ts";

/** What may be done in every namespace, with cluster-wide resources, and at URLs that name no resource. */
export const clusterRole: Kind<ClusterRole> = {
  ...clusterRoles,
  singular: "clusterrole",
  shortNames: [],
  categories: [],
  type: "ClusterRole",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate,
  columns: roleColumns,
  row: roleRow,
  selectableFields: clusterFields,
};
