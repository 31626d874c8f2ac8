/** How a list is merged: by the key that names its items, or as a set when there is none. */
export interface MergeRule {
  readonly strategy: "merge" | "replace";
  readonly key?: string;
}
const keys: Record<string, string> = {
  "ObjectMeta.ownerReferences": "uid",
  "ObjectMeta.finalizers": "",
  "ServiceSpec.ports": "port",
  "ServiceStatus.conditions": "type",
  "PodSpec.containers": "name",
  "PodSpec.initContainers": "name",
  "PodSpec.ephemeralContainers": "name",
  "PodSpec.volumes": "name",
  "PodSpec.imagePullSecrets": "name",
  "PodSpec.hostAliases": "ip",
  "PodSpec.topologySpreadConstraints": "topologyKey",
  "PodSpec.resourceClaims": "name",
  "PodSpec.schedulingGates": "name",
  "Container.env": "name",
  "Container.ports": "containerPort",
  "Container.volumeMounts": "mountPath",
  "Container.volumeDevices": "devicePath",
  "PodStatus.conditions": "type",
  "PodStatus.podIPs": "ip",
  "NodeStatus.conditions": "type",
  "NodeStatus.addresses": "type",
  "NodeSpec.podCIDRs": "",
  "NamespaceStatus.conditions": "type",
  "ServiceAccount.secrets": "name",
  "ServiceCIDRStatus.conditions": "type",
};
export function mergeRule(type: string, field: string): MergeRule | undefined {
  const key = keys[`${type}.${field}`];
  return key === undefined ? undefined : key === "" ? { strategy: "merge" } : { strategy: "merge", key };
}
