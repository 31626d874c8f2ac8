import type { Service } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { services } from "../resources.ts";
import { backfill } from "./backfill.ts";
import { columns, row } from "./columns.ts";
import { defaults } from "./defaults.ts";
import { normalizeClusterIPs } from "./normalizeClusterIPs.ts";
import { validate, validateStatus } from "./validate.ts";
import { statusWarnings, warnings } from "./warnings.ts";
import { withoutUnusedPolicy } from "./withoutUnusedPolicy.ts";
import { wipeOnTypeChange } from "./wipeOnTypeChange.ts";

export const service: Kind<Service> = {
  ...services,
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  type: "Service",
  subresources: ["status"],
  deleteAnswers: "object",
  createOnUpdate: true,
  defaults,
  prepareForCreate: (object) =>
    withoutUnusedPolicy(
      normalizeClusterIPs({ ...withoutServerFields(object), status: { loadBalancer: {} } }, undefined),
    ),
  // All three may run again beside the allocation of addresses: a second time they change nothing.
  prepareForUpdate: (next, previous) =>
    withoutUnusedPolicy(
      wipeOnTypeChange(normalizeClusterIPs(backfill(keepStatus(next, previous), previous), previous), previous),
    ),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings,
  statusWarnings,
  columns,
  row,
  selectableFields: (object) => ({
    ...namespacedFields(object),
    "spec.clusterIP": object.spec?.clusterIP ?? "",
    "spec.type": object.spec?.type ?? "",
  }),
};
