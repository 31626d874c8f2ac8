import type { Ingress } from "../generated/types.ts";
import { CLASS_ANNOTATION } from "../ingressClass/annotations.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { firstGeneration, nextGeneration } from "../meta/generation.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { ipWarnings } from "../meta/warnings.ts";
import { ingresses } from "../resources.ts";
import { validate, validateStatus } from "./validate.ts";

/** SVC-223, on create. */
function warnings(next: Ingress, previous: Ingress | undefined): string[] {
  if (previous !== undefined || next.spec?.ingressClassName !== undefined) return [];
  if (next.metadata.annotations?.[CLASS_ANNOTATION] === undefined) return [];
  return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];
}

/** Addresses in forms that readers could take for others. */
const statusWarnings = ({ status }: Ingress): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
    ip ? ipWarnings(`status.loadBalancer.ingress[${index}]`, ip) : [],
  );

/** SVC-337: how many more is counted in rules, as if each had a host. */
function hostsText({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const shown: string[] = [];
  for (const { host } of rules) {
    if (shown.length === 3) return `${shown.join(",")} + ${rules.length - 3} more...`;
    if (host) shown.push(host);
  }
  return shown.length === 0 ? "*" : shown.join(",");
}

/** Whole, as upstream's server gives it; printers cut it (SVC-329). */
function addressText({ status }: Ingress): string {
  const entries = status?.loadBalancer?.ingress ?? [];
  const texts = new Set(entries.map(({ ip, hostname }) => ip || hostname || "").filter((text) => text !== ""));
  return [...texts].sort().join(",");
}

/** SVC-285 … SVC-298 */
export const ingress: Kind<Ingress> = {
  ...ingresses,
  singular: "ingress",
  shortNames: ["ing"],
  categories: [],
  type: "Ingress",
  subresources: ["status"],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: (object) => firstGeneration({ ...withoutServerFields(object), status: { loadBalancer: {} } }),
  prepareForUpdate: (next, previous) => nextGeneration(keepStatus(next, previous), previous),
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatus,
  warnings,
  statusWarnings,
  // SVC-312
  columns: [
    nameColumn,
    column("Class", "The IngressClass whose controller serves it."),
    column("Hosts", "Hosts that its rules are for; * is any."),
    column("Address", "Where its load balancer answers."),
    column("Ports", "80, and 443 where it has TLS."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.spec?.ingressClassName ?? "<none>",
    hostsText(object),
    addressText(object),
    (object.spec?.tls ?? []).length === 0 ? "80" : "80, 443",
    age(object, nowMs),
  ],
  // SVC-303
  selectableFields: namespacedFields,
};
