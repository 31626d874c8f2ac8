import type { Node } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { clusterFields } from "../meta/fields.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { nodes } from "../resources.ts";
import { columns, row } from "./columns.ts";
import { validate } from "./validate.ts";

export const node: Kind<Node> = {
  ...nodes,
  singular: "node",
  shortNames: ["no"],
  categories: [],
  type: "Node",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  // Unlike other kinds a Node may be created with its status: that is how node agents register.
  prepareForCreate: withoutServerFields,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus: validate,
  columns,
  row,
  selectableFields: (object) => ({
    ...clusterFields(object),
    "spec.unschedulable": String(object.spec?.unschedulable === true),
  }),
};
