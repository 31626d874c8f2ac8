/**
 * What Kubernetes' documents say of types and fields beside their names and types, which are in the field table. All are facts of
 * v1.36; what a rule of `schemas.ts` yields is not repeated here.
 */

/** The group each type belongs to; those not named here are of the core group. */
const GROUPS: Readonly<Record<string, string>> = {
  apps:
    "ControllerRevision DaemonSet DaemonSetCondition DaemonSetSpec DaemonSetStatus DaemonSetUpdateStrategy Deployment " +
    "DeploymentCondition DeploymentSpec DeploymentStatus DeploymentStrategy ReplicaSet ReplicaSetCondition ReplicaSetSpec " +
    "ReplicaSetStatus RollingUpdateDaemonSet RollingUpdateDeployment RollingUpdateStatefulSetStrategy StatefulSet " +
    "StatefulSetCondition StatefulSetOrdinals StatefulSetPersistentVolumeClaimRetentionPolicy StatefulSetSpec StatefulSetStatus " +
    "StatefulSetUpdateStrategy",
  "authentication.k8s.io":
    "SelfSubjectReview SelfSubjectReviewStatus TokenRequest TokenRequestSpec TokenRequestStatus TokenReview TokenReviewSpec " +
    "TokenReviewStatus UserInfo BoundObjectReference",
  "authorization.k8s.io":
    "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectAccessReviewSpec SelfSubjectRulesReview " +
    "SelfSubjectRulesReviewSpec SubjectAccessReview SubjectAccessReviewSpec SubjectAccessReviewStatus SubjectRulesReviewStatus " +
    "NonResourceAttributes NonResourceRule ResourceAttributes ResourceRule FieldSelectorAttributes LabelSelectorAttributes",
  autoscaling: "Scale ScaleSpec ScaleStatus",
  batch:
    "Job JobCondition JobSpec JobStatus PodFailurePolicy PodFailurePolicyOnExitCodesRequirement " +
    "PodFailurePolicyOnPodConditionsPattern PodFailurePolicyRule SuccessPolicy SuccessPolicyRule UncountedTerminatedPods",
  "coordination.k8s.io": "Lease LeaseSpec",
  "discovery.k8s.io": "EndpointSlice Endpoint EndpointPort EndpointConditions EndpointHints ForNode ForZone",
  "networking.k8s.io":
    "Ingress IngressBackend IngressClass IngressClassParametersReference IngressClassSpec IngressLoadBalancerIngress " +
    "IngressLoadBalancerStatus IngressPortStatus IngressRule IngressServiceBackend IngressSpec IngressStatus IngressTLS " +
    "IPAddress IPAddressSpec HTTPIngressPath HTTPIngressRuleValue ParentReference ServiceBackendPort ServiceCIDR " +
    "ServiceCIDRSpec ServiceCIDRStatus",
  policy: "Eviction PodDisruptionBudget PodDisruptionBudgetSpec PodDisruptionBudgetStatus",
  "rbac.authorization.k8s.io":
    "AggregationRule ClusterRole ClusterRoleBinding PolicyRule Role RoleBinding RoleRef Subject",
};

const groups = new Map(
  Object.entries(GROUPS).flatMap(([group, types]) => types.split(" ").map((type): [string, string] => [type, group])),
);

export const groupOf = (type: string): string => groups.get(type) ?? "";

/** Types that every kind shares; they are of no group. */
export const metaTypes: ReadonlySet<string> = new Set([
  "Condition",
  "DeleteOptions",
  "FieldSelectorRequirement",
  "LabelSelector",
  "LabelSelectorRequirement",
  "ListMeta",
  "ManagedFieldsEntry",
  "ObjectMeta",
  "OwnerReference",
  "Preconditions",
  "ShardInfo",
  "Status",
  "StatusCause",
  "StatusDetails",
]);

/** Where our table's name of a type is not upstream's. */
export const upstreamNames: Readonly<Record<string, string>> = { CoreEndpointPort: "EndpointPort" };

const ACCESS = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const UPDATES = ["OnDelete", "RollingUpdate"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const PULL = ["Always", "IfNotPresent", "Never"];
const MESSAGES = ["FallbackToLogsOnError", "File"];
const POLICY = ["Cluster", "Local"];
const HONOR = ["Honor", "Ignore"];
const PROFILE = ["Localhost", "RuntimeDefault", "Unconfined"];
const EFFECTS = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const SCOPES = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];

const REAL_TIME = [
  "MAX",
  ...Array.from({ length: 14 }, (_, at) => `MAX-${at + 1}`),
  "MIN",
  ...Array.from({ length: 15 }, (_, at) => `MIN+${at + 1}`),
];
const SIGNALS = (
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU " +
  "URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
)
  .split(" ")
  .concat(REAL_TIME.map((name) => `RT${name}`))
  .map((name) => `SIG${name}`)
  .sort();

/** `TYPE.FIELD` → the only texts it may have; for a list, its items. */
export const enums: Readonly<Record<string, readonly string[]>> = {
  "AppArmorProfile.type": PROFILE,
  "AzureDiskVolumeSource.cachingMode": ["None", "ReadOnly", "ReadWrite"],
  "AzureDiskVolumeSource.kind": ["Dedicated", "Managed", "Shared"],
  "Container.imagePullPolicy": PULL,
  "Container.terminationMessagePolicy": MESSAGES,
  "ContainerPort.protocol": PROTOCOLS,
  "ContainerStatus.stopSignal": SIGNALS,
  "CoreEndpointPort.protocol": PROTOCOLS,
  "DaemonSetUpdateStrategy.type": UPDATES,
  "DeploymentStrategy.type": ["Recreate", "RollingUpdate"],
  "EndpointPort.protocol": PROTOCOLS,
  "EndpointSlice.addressType": ["FQDN", "IPv4", "IPv6"],
  "EphemeralContainer.imagePullPolicy": PULL,
  "EphemeralContainer.terminationMessagePolicy": MESSAGES,
  "HostPathVolumeSource.type": [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
  ],
  "HTTPGetAction.scheme": ["HTTP", "HTTPS"],
  "HTTPIngressPath.pathType": ["Exact", "ImplementationSpecific", "Prefix"],
  "ImageVolumeSource.pullPolicy": PULL,
  "IngressPortStatus.protocol": PROTOCOLS,
  "JobSpec.completionMode": ["Indexed", "NonIndexed"],
  "JobSpec.podReplacementPolicy": ["Failed", "TerminatingOrFailed"],
  "Lifecycle.stopSignal": SIGNALS,
  "ModifyVolumeStatus.status": ["InProgress", "Infeasible", "Pending"],
  "NamespaceStatus.phase": ["Active", "Terminating"],
  "NodeSelectorRequirement.operator": ["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"],
  "NodeStatus.phase": ["Pending", "Running", "Terminated"],
  "PersistentVolumeClaimSpec.accessModes": ACCESS,
  "PersistentVolumeClaimSpec.volumeMode": ["Block", "Filesystem"],
  "PersistentVolumeClaimStatus.accessModes": ACCESS,
  "PersistentVolumeClaimStatus.allocatedResourceStatuses": [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
  ],
  "PersistentVolumeClaimStatus.phase": ["Bound", "Lost", "Pending"],
  "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": ["AlwaysAllow", "IfHealthyBudget"],
  "PodFailurePolicyOnExitCodesRequirement.operator": ["In", "NotIn"],
  "PodFailurePolicyRule.action": ["Count", "FailIndex", "FailJob", "Ignore"],
  "PodSecurityContext.fsGroupChangePolicy": ["Always", "OnRootMismatch"],
  "PodSecurityContext.supplementalGroupsPolicy": ["Merge", "Strict"],
  "PodSpec.dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
  "PodSpec.preemptionPolicy": ["Never", "PreemptLowerPriority"],
  "PodSpec.restartPolicy": ["Always", "Never", "OnFailure"],
  "PodStatus.phase": ["Failed", "Pending", "Running", "Succeeded", "Unknown"],
  "PodStatus.qosClass": ["BestEffort", "Burstable", "Guaranteed"],
  "PortStatus.protocol": PROTOCOLS,
  "ResourceQuotaSpec.scopes": SCOPES,
  "ScopedResourceSelectorRequirement.operator": ["DoesNotExist", "Exists", "In", "NotIn"],
  "ScopedResourceSelectorRequirement.scopeName": SCOPES,
  "SeccompProfile.type": PROFILE,
  "SecurityContext.procMount": ["Default", "Unmasked"],
  "ServicePort.protocol": PROTOCOLS,
  "ServiceSpec.externalTrafficPolicy": POLICY,
  "ServiceSpec.internalTrafficPolicy": POLICY,
  "ServiceSpec.ipFamilies": ["", "IPv4", "IPv6"],
  "ServiceSpec.ipFamilyPolicy": ["PreferDualStack", "RequireDualStack", "SingleStack"],
  "ServiceSpec.sessionAffinity": ["ClientIP", "None"],
  "ServiceSpec.type": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
  "StatefulSetSpec.podManagementPolicy": ["OrderedReady", "Parallel"],
  "StatefulSetUpdateStrategy.type": UPDATES,
  "Taint.effect": EFFECTS,
  "Toleration.effect": EFFECTS,
  "Toleration.operator": ["Equal", "Exists", "Gt", "Lt"],
  "TopologySpreadConstraint.nodeAffinityPolicy": HONOR,
  "TopologySpreadConstraint.nodeTaintsPolicy": HONOR,
  "TopologySpreadConstraint.whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
  "VolumeMount.mountPropagation": ["Bidirectional", "HostToContainer", "None"],
};

/** `TYPE.FIELD` → the default of a field that may be left out. */
export const defaults: Readonly<Record<string, unknown>> = {
  "AzureDiskVolumeSource.cachingMode": "ReadWrite",
  "AzureDiskVolumeSource.fsType": "ext4",
  "AzureDiskVolumeSource.kind": "Shared",
  "AzureDiskVolumeSource.readOnly": false,
  "ConfigMapEnvSource.name": "",
  "ConfigMapKeySelector.name": "",
  "ConfigMapProjection.name": "",
  "ConfigMapVolumeSource.name": "",
  "Container.resources": {},
  "ContainerPort.protocol": "TCP",
  "ContainerStatus.lastState": {},
  "ContainerStatus.state": {},
  "DaemonSetSpec.updateStrategy": {},
  "DeploymentSpec.strategy": {},
  "Endpoint.conditions": {},
  "EphemeralContainer.resources": {},
  "Event.reportingComponent": "",
  "Event.reportingInstance": "",
  "Event.source": {},
  "FileKeySelector.optional": false,
  "GRPCAction.service": "",
  "ISCSIVolumeSource.iscsiInterface": "default",
  "IngressServiceBackend.port": {},
  "IngressStatus.loadBalancer": {},
  "LocalObjectReference.name": "",
  "NodeDaemonEndpoints.kubeletEndpoint": {},
  "NodeRuntimeHandler.name": "",
  "NodeStatus.daemonEndpoints": {},
  "NodeStatus.nodeInfo": {},
  "PersistentVolumeClaimSpec.resources": {},
  "PersistentVolumeClaimTemplate.metadata": {},
  "PodDisruptionBudgetStatus.currentHealthy": 0,
  "PodDisruptionBudgetStatus.desiredHealthy": 0,
  "PodDisruptionBudgetStatus.disruptionsAllowed": 0,
  "PodDisruptionBudgetStatus.expectedPods": 0,
  "PodFailurePolicyOnPodConditionsPattern.status": "",
  "PodTemplateSpec.metadata": {},
  "PodTemplateSpec.spec": {},
  "RBDVolumeSource.keyring": "/etc/ceph/keyring",
  "RBDVolumeSource.pool": "rbd",
  "RBDVolumeSource.user": "admin",
  "ReplicaSetSpec.template": {},
  "ReplicationControllerSpec.minReadySeconds": 0,
  "ReplicationControllerSpec.replicas": 1,
  "RoleRef.apiGroup": "",
  "ScaleIOVolumeSource.fsType": "xfs",
  "ScaleIOVolumeSource.storageMode": "ThinProvisioned",
  "ScaleSpec.replicas": 0,
  "SecretEnvSource.name": "",
  "SecretKeySelector.name": "",
  "SecretProjection.name": "",
  "SelfSubjectReviewStatus.userInfo": {},
  "ServicePort.protocol": "TCP",
  "ServiceStatus.loadBalancer": {},
  "StatefulSetOrdinals.start": 0,
  "StatefulSetSpec.serviceName": "",
  "StatefulSetSpec.updateStrategy": {},
  "StatefulSetStatus.availableReplicas": 0,
  "TokenRequestStatus.token": "",
  "TokenReviewStatus.user": {},
};

/** Fields that must be there and have no default all the same. */
export const withoutDefault: ReadonlySet<string> = new Set([
  "ContainerRestartRule.action",
  "ContainerRestartRuleOnExitCodes.operator",
  "DaemonSetSpec.selector",
  "DeploymentSpec.selector",
  "HTTPIngressPath.pathType",
  "IPAddressSpec.parentRef",
  "ImageVolumeStatus.imageRef",
  "ParentReference.name",
  "ParentReference.resource",
  "PodCertificateProjection.keyType",
  "PodCertificateProjection.signerName",
  "ReplicaSetSpec.selector",
  "ScaleIOVolumeSource.secretRef",
  "StatefulSetSpec.selector",
  "TokenReviewSpec.token",
]);

/** Lists of which a patch may say which keys of an element are to stay. */
export const retainsKeys: ReadonlySet<string> = new Set([
  "PodSpec.resourceClaims",
  "PodSpec.volumes",
  "PodStatus.resourceClaimStatuses",
]);

/** What patches do to a struct otherwise than merging it. */
export const structStrategies: Readonly<Record<string, string>> = {
  "DeploymentSpec.strategy": "retainKeys",
  "PodDisruptionBudgetSpec.selector": "replace",
};

/** Fields that hold any object, and not a set of fields. */
export const rawFields: ReadonlySet<string> = new Set(["ControllerRevision.data"]);
