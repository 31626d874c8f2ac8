import type { IngressClass } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { clusterFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { ingressClasses } from "../resources.ts";
import { DEFAULT_ANNOTATION } from "./annotations.ts";
import { validate } from "./validate.ts";

/** Whether an Ingress that names no class belongs to this one (SVC-301). */
export const isDefaultClass = ({ metadata }: IngressClass): boolean =>
  metadata.annotations?.[DEFAULT_ANNOTATION] === "true";

function defaults(object: IngressClass): IngressClass {
  const parameters = object.spec?.parameters;
  if (parameters === undefined || parameters.scope !== undefined) return object;
  return { ...object, spec: { ...object.spec, parameters: { ...parameters, scope: "Cluster" } } };
}

/** SVC-338 */
function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;
}

/** SVC-299 … SVC-301 */
export const ingressClass: Kind<IngressClass> = {
  ...ingressClasses,
  singular: "ingressclass",
  shortNames: [],
  categories: [],
  type: "IngressClass",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate: (object) => firstGeneration(withoutServerFields(object)),
  prepareForUpdate: (next, previous) => nextGeneration(carry(next, previous), previous),
  validate,
  // SVC-313
  columns: [
    nameColumn,
    column("Controller", "What serves the Ingresses of this class."),
    column("Parameters", "An object with more settings for it."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    isDefaultClass(object) ? `${nameOf(object)} (default)` : nameOf(object),
    object.spec?.controller ?? "",
    parametersText(object),
    age(object, nowMs),
  ],
  selectableFields: clusterFields,
};
