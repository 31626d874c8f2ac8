import type { Resource } from "./object.ts";

/** The resources every part speaks of, without the rules that belong to them (those are in each kind's folder). */
const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});

export const namespaces = core("namespaces", "Namespace", false);
export const nodes = core("nodes", "Node", false);
export const pods = core("pods", "Pod");
export const services = core("services", "Service");
export const endpoints = core("endpoints", "Endpoints");
export const events = core("events", "Event");
export const configMaps = core("configmaps", "ConfigMap");
export const secrets = core("secrets", "Secret");
export const resourceQuotas = core("resourcequotas", "ResourceQuota");
export const serviceAccounts = core("serviceaccounts", "ServiceAccount");
export const replicationControllers = core("replicationcontrollers", "ReplicationController");
export const persistentVolumeClaims = core("persistentvolumeclaims", "PersistentVolumeClaim");

const apps = (plural: string, kind: string): Resource => ({
  group: "apps",
  version: "v1",
  plural,
  kind,
  namespaced: true,
});

export const deployments = apps("deployments", "Deployment");
export const replicaSets = apps("replicasets", "ReplicaSet");
export const statefulSets = apps("statefulsets", "StatefulSet");
export const daemonSets = apps("daemonsets", "DaemonSet");
export const controllerRevisions = apps("controllerrevisions", "ControllerRevision");
export const jobs: Resource = { group: "batch", version: "v1", plural: "jobs", kind: "Job", namespaced: true };
export const podDisruptionBudgets: Resource = {
  group: "policy",
  version: "v1",
  plural: "poddisruptionbudgets",
  kind: "PodDisruptionBudget",
  namespaced: true,
};
export const endpointSlices: Resource = {
  group: "discovery.k8s.io",
  version: "v1",
  plural: "endpointslices",
  kind: "EndpointSlice",
  namespaced: true,
};
export const leases: Resource = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};
export const ipAddresses: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "ipaddresses",
  kind: "IPAddress",
  namespaced: false,
};
export const serviceCIDRs: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "servicecidrs",
  kind: "ServiceCIDR",
  namespaced: false,
};
export const ingresses: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "ingresses",
  kind: "Ingress",
  namespaced: true,
};
export const ingressClasses: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "ingressclasses",
  kind: "IngressClass",
  namespaced: false,
};

const rbac = (plural: string, kind: string, namespaced: boolean): Resource => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced,
});

export const roles = rbac("roles", "Role", true);
export const roleBindings = rbac("rolebindings", "RoleBinding", true);
export const clusterRoles = rbac("clusterroles", "ClusterRole", false);
export const clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", false);
