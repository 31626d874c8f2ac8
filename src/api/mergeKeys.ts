import { fields } from "./generated/fields.ts";

/** How a strategic merge patch treats a list. What has no rule is replaced as a whole. */
export type MergeRule =
  /** Elements are objects; those with the same value under `key` are one element. */
  | { readonly list: "map"; readonly key: string }
  /** Elements are plain values; the patch's are added to what is there. */
  | { readonly list: "set" };

const by = (key: string): MergeRule => ({ list: "map", key });
const set: MergeRule = { list: "set" };

const container: Record<string, MergeRule> = {
  env: by("name"),
  ports: by("containerPort"),
  volumeDevices: by("devicePath"),
  volumeMounts: by("mountPath"),
};

/**
 * Type of the field table → field → rule, for the types that the kinds here reach: Kubernetes' `patchMergeKey` and
 * `patchStrategy`. Not in it, and so replaced whole: `tolerations`, `envFrom`, `clusterIPs`, `subsets`, `endpoints`, ….
 */
export const mergeRules: Readonly<Record<string, Readonly<Record<string, MergeRule>>>> = {
  Container: container,
  ContainerStatus: { allocatedResourcesStatus: by("name"), volumeMounts: by("mountPath") },
  DaemonSetStatus: { conditions: by("type") },
  DeploymentStatus: { conditions: by("type") },
  EphemeralContainer: container,
  JobStatus: { conditions: by("type") },
  NamespaceStatus: { conditions: by("type") },
  NodeSpec: { podCIDRs: set },
  NodeStatus: { addresses: by("type"), conditions: by("type") },
  ObjectMeta: { finalizers: set, ownerReferences: by("uid") },
  PersistentVolumeClaimStatus: { conditions: by("type") },
  PodDisruptionBudgetStatus: { conditions: by("type") },
  PodSpec: {
    containers: by("name"),
    ephemeralContainers: by("name"),
    hostAliases: by("ip"),
    imagePullSecrets: by("name"),
    initContainers: by("name"),
    resourceClaims: by("name"),
    schedulingGates: by("name"),
    topologySpreadConstraints: by("topologyKey"),
    volumes: by("name"),
  },
  PodStatus: {
    conditions: by("type"),
    hostIPs: by("ip"),
    podIPs: by("ip"),
    resourceClaimStatuses: by("name"),
  },
  ReplicaSetStatus: { conditions: by("type") },
  ReplicationControllerStatus: { conditions: by("type") },
  ServiceAccount: { secrets: by("name") },
  ServiceCIDRStatus: { conditions: by("type") },
  // By `port` alone, although TCP 53 and UDP 53 are two ports: that is what clients of upstream get (SVC-196).
  ServiceSpec: { ports: by("port") },
  ServiceStatus: { conditions: by("type") },
  StatefulSetStatus: { conditions: by("type") },
};

/** Structs that a strategic merge patch replaces as a whole: `TYPE.FIELD`. */
export const replacedStructs: ReadonlySet<string> = new Set(["PodDisruptionBudgetSpec.selector"]);

/** The rule for a list, or undefined where the patch's list takes the place of the old one. */
export const mergeRuleOf = (type: string, field: string): MergeRule | undefined =>
  Object.hasOwn(mergeRules, type) && Object.hasOwn(mergeRules[type]!, field) ? mergeRules[type]![field] : undefined;

/** The struct type of a field's value, or of its elements; undefined for scalars, maps and fields that are not known. */
export function structOf(type: string, field: string): string | undefined {
  const table = Object.hasOwn(fields, type) ? fields[type] : undefined;
  const word = table !== undefined && Object.hasOwn(table, field) ? table[field] : undefined;
  const name = word?.replace(/^(\[\])+/, "").replace(/!$/, "");
  return name !== undefined && Object.hasOwn(fields, name) ? name : undefined;
}
