import type { ServiceCIDR } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { clusterFields } from "../meta/fields.ts";
import { keepStatus } from "../meta/subresource.ts";
import { serviceCIDRs } from "../resources.ts";
import { validate } from "./validate.ts";

export const serviceCIDR: Kind<ServiceCIDR> = {
  ...serviceCIDRs,
  singular: "servicecidr",
  shortNames: [],
  categories: [],
  type: "ServiceCIDR",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  // A status is there from the first moment, and empty until somebody writes one.
  prepareForCreate: (object) => ({ ...withoutServerFields(object), status: {} }),
  prepareForUpdate: keepStatus,
  // SVC-273: nothing but the status is taken, not even labels.
  prepareForStatusUpdate: (next, previous) => ({ ...previous, status: next.status ?? {} }),
  validate,
  validateStatus: () => [],
  columns: [nameColumn, column("CIDRs", "The ranges that cluster IPs are taken from."), ageColumn],
  row: (object, nowMs) => [nameOf(object), (object.spec?.cidrs ?? []).join(","), age(object, nowMs)],
  selectableFields: clusterFields,
};
