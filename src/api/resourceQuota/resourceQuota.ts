import type { ResourceQuota } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { parseQuantity, quantityText } from "../meta/quantity.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { sameJson } from "../meta/values.ts";
import { resourceQuotas } from "../resources.ts";
import { validate, validateStatus } from "./validate.ts";
import { warnings } from "./warnings.ts";

type Amounts = Record<string, string>;

/** Amounts in the one form in which they are stored and shown: `1000m` is `1`. */
const canonical = (amounts: Amounts): Amounts =>
  Object.fromEntries(Object.entries(amounts).map(([name, text]) => [name, quantityText(parseQuantity(text))]));

function defaults(object: ResourceQuota): ResourceQuota {
  const { spec, status } = object;
  return {
    ...object,
    ...(spec?.hard === undefined ? {} : { spec: { ...spec, hard: canonical(spec.hard) } }),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...(status.hard === undefined ? {} : { hard: canonical(status.hard) }),
            ...(status.used === undefined ? {} : { used: canonical(status.used) }),
          },
        }),
  };
}

/** What was counted within another selection says nothing any more: it is counted anew. */
function prepareForUpdate(next: ResourceQuota, previous: ResourceQuota): ResourceQuota {
  const kept = keepStatus(next, previous);
  if (sameJson(next.spec?.scopeSelector, previous.spec?.scopeSelector)) return kept;
  return { ...kept, status: {} };
}

/** `services: 1/3, services.nodeports: 0/2`, sorted; limits of pods have a column of their own. */
function amountsText({ status }: ResourceQuota, isOfColumn: (name: string) => boolean): string {
  const hard = status?.hard ?? {};
  return Object.keys(hard)
    .filter(isOfColumn)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}

const isLimit = (name: string): boolean => name.startsWith("limits.");

/** How much of each resource a namespace may hold (SVC-305 … SVC-307); the counting is the server's. */
export const resourceQuota: Kind<ResourceQuota> = {
  ...resourceQuotas,
  singular: "resourcequota",
  shortNames: ["quota"],
  categories: [],
  type: "ResourceQuota",
  subresources: ["status"],
  deleteAnswers: "object",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) => ({ ...withoutServerFields(object), status: {} }),
  prepareForUpdate,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings,
  columns: [
    nameColumn,
    column("Request", "What is used of what may be used."),
    column("Limit", "The same of the limits of pods."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    amountsText(object, (name) => !isLimit(name)),
    amountsText(object, isLimit),
    age(object, nowMs),
  ],
  selectableFields: namespacedFields,
};
