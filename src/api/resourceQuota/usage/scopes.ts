import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from "../../generated/types.ts";
import { qosClass } from "../../pod/qosClass.ts";
import { attributesClassesOf } from "./claims.ts";

/** Whether a name, empty for none, is what a requirement asks for. */
function isNamed(name: string, { operator, values = [] }: ScopedResourceSelectorRequirement): boolean {
  switch (operator) {
    case "In":
      return name !== "" && values.includes(name);
    case "NotIn":
      return name === "" || !values.includes(name);
    case "DoesNotExist":
      return name === "";
    default:
      return name !== "";
  }
}

const looksElsewhere = ({ namespaces = [], namespaceSelector }: PodAffinityTerm): boolean =>
  namespaces.length > 0 || namespaceSelector !== undefined;

function looksAcrossNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some(
    (affinity) =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(looksElsewhere) === true ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) =>
        looksElsewhere(podAffinityTerm),
      ) === true,
  );
}

function matches(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  const isTerminating = pod.spec?.activeDeadlineSeconds !== undefined;
  const isBestEffort = pod.spec !== undefined && qosClass(pod.spec) === "BestEffort";
  switch (requirement.scopeName) {
    case "Terminating":
      return isTerminating;
    case "NotTerminating":
      return !isTerminating;
    case "BestEffort":
      return isBestEffort;
    case "NotBestEffort":
      return !isBestEffort;
    case "PriorityClass":
      return isNamed(pod.spec?.priorityClassName ?? "", requirement);
    case "CrossNamespacePodAffinity":
      return looksAcrossNamespaces(pod);
    default:
      return false;
  }
}

const scopesOf = ({ scopes = [], scopeSelector }: ResourceQuotaSpec): ScopedResourceSelectorRequirement[] => [
  ...scopes.map((scopeName) => ({ scopeName, operator: "Exists" })),
  ...(scopeSelector?.matchExpressions ?? []),
];

/** Of claims there is one scope: any of the classes that a claim names may be meant. */
export const isClaimInScope = (spec: ResourceQuotaSpec, claim: PersistentVolumeClaim): boolean =>
  scopesOf(spec).every((requirement) => {
    if (requirement.scopeName !== "VolumeAttributesClass") return false;
    const classes = attributesClassesOf(claim);
    return (classes.length === 0 ? [""] : classes).some((name) => isNamed(name, requirement));
  });

/** Whether a quota with scopes is about this pod; `undefined` is an object of another kind, about which no scope says anything. */
export const isInScope = (spec: ResourceQuotaSpec, pod: Pod | undefined): boolean =>
  scopesOf(spec).every((requirement) => pod !== undefined && matches(pod, requirement));
