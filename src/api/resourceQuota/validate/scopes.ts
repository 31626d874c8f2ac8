import { invalid, required, type Fault } from "../../fault.ts";
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../../generated/types.ts";
import { isQuotaName, isScope, mayNarrow } from "../names.ts";

const CONFLICTS = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

/** Names of the quota that a scope cannot narrow. */
const strangers = (spec: ResourceQuotaSpec, scope: string): string[] =>
  Object.keys(spec.hard ?? {}).filter((name) => isQuotaName(name) && !mayNarrow(scope, name));

/** Two scopes that nothing is in together. */
function validateTogether(spec: ResourceQuotaSpec, scopes: readonly string[], field: string): Fault[] {
  const both = CONFLICTS.filter((pair) => pair.every((scope) => scopes.includes(scope)));
  return both.map(() => invalid(field, spec.scopes, "conflicting scopes"));
}

export function validateScopes(spec: ResourceQuotaSpec): Fault[] {
  const { scopes = [] } = spec;
  const field = "spec.scopes";
  return [
    ...scopes.flatMap((scope) => [
      ...(isScope(scope) ? [] : [invalid(field, scopes, "unsupported scope")]),
      ...strangers(spec, scope).map(() => invalid(field, scopes, "unsupported scope applied to resource")),
    ]),
    ...validateTogether(spec, scopes, field),
  ];
}

const EXISTS_ONLY = ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];
const EXISTS_WHY =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function validateOperator(
  { operator, scopeName, values = [] }: ScopedResourceSelectorRequirement,
  field: string,
): Fault[] {
  const faults: Fault[] = [];
  if (EXISTS_ONLY.includes(scopeName) && operator !== "Exists") {
    faults.push(invalid(`${field}.operator`, operator, EXISTS_WHY));
  }
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      faults.push(required(`${field}.values`, why));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      faults.push(invalid(`${field}.values`, values, why));
    }
  } else faults.push(invalid(`${field}.operator`, operator, "not a valid selector operator"));
  return faults;
}

/** Upstream shows its own form of the selector, whose fields have capital letters, and no index in the path. */
const upstreamForm = (expressions: readonly ScopedResourceSelectorRequirement[]): object => ({
  MatchExpressions: expressions.map(({ operator, scopeName, values }) => ({
    ScopeName: scopeName,
    Operator: operator,
    Values: values ?? null,
  })),
});

export function validateScopeSelector(spec: ResourceQuotaSpec): Fault[] {
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  const field = "spec.scopeSelector.matchExpressions";
  return [
    ...expressions.flatMap((expression) => [
      ...(isScope(expression.scopeName)
        ? []
        : [invalid(`${field}.scopeName`, expression.scopeName, "unsupported scope")]),
      ...strangers(spec, expression.scopeName).map(() =>
        invalid(field, upstreamForm(expressions), "unsupported scope applied to resource"),
      ),
      ...validateOperator(expression, field),
    ]),
    ...validateTogether(
      spec,
      expressions.map(({ scopeName }) => scopeName),
      field,
    ),
  ];
}
