/**
 * How fields are owned under server-side apply. A list that is not told of here is atomic: whoever sets it owns the whole of it. A map or
 * struct that is not told of here is granular: each of its fields has owners of its own.
 * Kubernetes says the same as `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.
 */
export type ListType =
  /** Elements are objects; each is owned by itself, and known by the values of its keys. */
  | { readonly type: "map"; readonly keys: readonly string[] }
  /** Elements are plain values, each of them owned by itself. */
  | { readonly type: "set" };

const by = (...keys: string[]): ListType => ({ type: "map", keys });
const set: ListType = { type: "set" };

const container: Record<string, ListType> = {
  env: by("name"),
  ports: by("containerPort", "protocol"),
  volumeDevices: by("devicePath"),
  volumeMounts: by("mountPath"),
};

/** Type of the field table → field → type of its list. */
const listTypes: Readonly<Record<string, Readonly<Record<string, ListType>>>> = {
  Container: container,
  ContainerRestartRuleOnExitCodes: { values: set },
  ContainerStatus: { allocatedResourcesStatus: by("name"), volumeMounts: by("mountPath") },
  DaemonSetStatus: { conditions: by("type") },
  DeploymentStatus: { conditions: by("type") },
  Endpoint: { addresses: set },
  EphemeralContainer: container,
  NamespaceStatus: { conditions: by("type") },
  NodeAllocatableResourceClaimStatus: { containers: set },
  NodeSpec: { podCIDRs: set },
  NodeStatus: { addresses: by("type"), conditions: by("type") },
  ObjectMeta: { finalizers: set, ownerReferences: by("uid") },
  PersistentVolumeClaimStatus: { conditions: by("type") },
  PodDisruptionBudgetStatus: { conditions: by("type") },
  PodFailurePolicyOnExitCodesRequirement: { values: set },
  PodSpec: {
    containers: by("name"),
    ephemeralContainers: by("name"),
    hostAliases: by("ip"),
    imagePullSecrets: by("name"),
    initContainers: by("name"),
    resourceClaims: by("name"),
    schedulingGates: by("name"),
    topologySpreadConstraints: by("topologyKey", "whenUnsatisfiable"),
    volumes: by("name"),
  },
  PodStatus: { conditions: by("type"), podIPs: by("ip"), resourceClaimStatuses: by("name") },
  ReplicaSetStatus: { conditions: by("type") },
  ReplicationControllerStatus: { conditions: by("type") },
  ResourceRequirements: { claims: by("name") },
  ResourceStatus: { resources: by("resourceID") },
  ServiceAccount: { secrets: by("name") },
  ServiceCIDRStatus: { conditions: by("type") },
  // TCP 53 and UDP 53 are two ports here, unlike in a strategic merge patch (SVC-010, SVC-197).
  ServiceSpec: { ports: by("port", "protocol") },
  ServiceStatus: { conditions: by("type") },
  StatefulSetStatus: { conditions: by("type") },
  UncountedTerminatedPods: { failed: set, succeeded: set },
};

/** Structs that are owned as a whole, wherever they stand. */
export const atomicTypes: ReadonlySet<string> = new Set([
  "ConfigMapKeySelector",
  "CoreEndpointPort",
  "EndpointAddress",
  "EndpointPort",
  "FileKeySelector",
  "LabelSelector",
  "LocalObjectReference",
  "NodeSelector",
  "NodeSelectorTerm",
  "ObjectFieldSelector",
  "ObjectReference",
  "OwnerReference",
  "ResourceFieldSelector",
  "RoleRef",
  "ScopeSelector",
  "SecretKeySelector",
  "ServiceBackendPort",
  "Subject",
  "TypedLocalObjectReference",
]);

/** Maps that are owned as a whole: type of the field table → fields. */
const atomicMaps: Readonly<Record<string, readonly string[]>> = {
  PodSpec: ["nodeSelector"],
  ReplicationControllerSpec: ["selector"],
  ServiceSpec: ["selector"],
};

/** What a key of a list of type `map` is where an element leaves it out, beside the zero values of required fields. */
const keyDefaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ContainerPort: { protocol: "TCP" },
  LocalObjectReference: { name: "" },
  ServicePort: { protocol: "TCP" },
};

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** The type of a list; undefined where it is atomic. */
export const listTypeOf = (type: string, field: string): ListType | undefined => own(own(listTypes, type) ?? {}, field);

export const isAtomicMap = (type: string, field: string): boolean => own(atomicMaps, type)?.includes(field) ?? false;

/** The value of a missing key field; `word` is the field's word in the field table, with its mark when it is always there. */
export const keyDefaultOf = (type: string, field: string, word: string): string | number | undefined =>
  own(own(keyDefaults, type) ?? {}, field) ?? (word === "string!" ? "" : word === "int32!" ? 0 : undefined);
