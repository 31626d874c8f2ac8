import { invalid, required, type Fault } from "../fault.ts";
import type { Lease } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { leases } from "../resources.ts";

function validateSpec({ spec }: Lease): Fault[] {
  const faults: Fault[] = [];
  if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    faults.push(invalid("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
  }
  if (spec?.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
    faults.push(invalid("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0"));
  }
  if (spec?.preferredHolder !== undefined && spec.preferredHolder !== "" && !spec.strategy) {
    faults.push(required("spec.strategy", "must be specified when `preferredHolder` is specified"));
  }
  return faults;
}

export const lease: Kind<Lease> = {
  ...leases,
  singular: "lease",
  shortNames: [],
  categories: [],
  type: "Lease",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  needsRevision: true,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
    ...validateSpec(next),
  ],
  columns: [nameColumn, column("Holder", "Who holds the lease now."), ageColumn],
  row: (object, nowMs) => [nameOf(object), object.spec?.holderIdentity ?? "", age(object, nowMs)],
  selectableFields: namespacedFields,
};
