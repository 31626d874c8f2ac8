import { checkQualifiedName } from "../meta/names.ts";

/** What a node has and pods share. */
const COMPUTE = ["cpu", "memory", "ephemeral-storage"] as const;
const COMPUTE_NAMES = COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
const COUNTS = [
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
  "services.loadbalancers",
  "services.nodeports",
];

const quotaNames = new Set([...COMPUTE_NAMES, "requests.storage", ...COUNTS]);
const counts = new Set(COUNTS);

const isHugePages = (name: string): boolean => /^(requests\.)?hugepages-/.test(name);

/** A name without a `/` that a quota may limit. */
export const isQuotaName = (name: string): boolean => quotaNames.has(name) || isHugePages(name);

/** A name without a `/` that Kubernetes itself gives a meaning, to quotas or elsewhere. */
export const isStandardName = (name: string): boolean => name === "storage" || isQuotaName(name);

/** Resources of others (`example.com/gpu`), among which upstream takes `count/…` too: whole numbers only. */
const isExtended = (name: string): boolean =>
  name.includes("/") &&
  !name.includes("kubernetes.io/") &&
  !name.startsWith("requests.") &&
  checkQualifiedName(`requests.${name}`).length === 0;

export const isIntegerName = (name: string): boolean => counts.has(name) || isExtended(name);

const POD_NAMES = new Set(["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);
const PODS = new Set(["pods"]);
const CLAIMS = new Set(["persistentvolumeclaims", "requests.storage"]);

/** Which of the quota's own names a scope may narrow. */
const SCOPE_NAMES: Readonly<Record<string, ReadonlySet<string>>> = {
  BestEffort: PODS,
  CrossNamespacePodAffinity: POD_NAMES,
  NotBestEffort: POD_NAMES,
  NotTerminating: POD_NAMES,
  PriorityClass: POD_NAMES,
  Terminating: POD_NAMES,
  VolumeAttributesClass: CLAIMS,
};

export const isScope = (scope: string): boolean => Object.hasOwn(SCOPE_NAMES, scope);

/** Whether a scope says something about what the name counts; a scope that is none is refused for itself. */
export const mayNarrow = (scope: string, name: string): boolean => !isScope(scope) || SCOPE_NAMES[scope]!.has(name);
