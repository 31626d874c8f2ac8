import type { ServiceAccount } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { serviceAccounts } from "../resources.ts";

export const serviceAccount: Kind<ServiceAccount> = {
  ...serviceAccounts,
  singular: "serviceaccount",
  shortNames: ["sa"],
  categories: [],
  type: "ServiceAccount",
  subresources: [],
  deleteAnswers: "object",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) =>
    validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
  columns: [nameColumn, column("Secrets", "How many Secrets its pods may use."), ageColumn],
  row: (object, nowMs) => [nameOf(object), object.secrets?.length ?? 0, age(object, nowMs)],
  selectableFields: namespacedFields,
};
