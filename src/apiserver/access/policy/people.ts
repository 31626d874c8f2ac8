import type { PolicyRule } from "../../../api/generated/types.ts";
import { allow, READ, READ_WRITE, WRITE } from "./rules.ts";

/*
 * The roles that people are given: `view`, `edit` and `admin` of a namespace. Each gathers what is labelled for it, so that others may add to
 * it. They speak of resources too that are not served here, because who administers a namespace may only give away what they hold.
 */

const WORKLOADS = "extensions";

/** Nothing that lets one become somebody else: no Secrets, and no roles. */
export const VIEW_RULES: readonly PolicyRule[] = [
  allow(
    READ,
    "core",
    "pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps",
  ),
  allow(
    READ,
    "core",
    "limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status replicationcontrollers/status pods/log",
  ),
  allow(READ, "core", "namespaces"),
  allow(READ, "core events.k8s.io", "events"),
  allow(READ, "discovery.k8s.io", "endpointslices"),
  allow(
    READ,
    "apps",
    "controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale",
  ),
  allow(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  allow(READ, "batch", "jobs cronjobs cronjobs/status jobs/status"),
  allow(
    READ,
    WORKLOADS,
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies",
  ),
  allow(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  allow(READ, "networking.k8s.io", "networkpolicies ingresses ingresses/status"),
  allow(READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
];

/** Neither Endpoints nor EndpointSlices are written by people (SVC-237): they could send traffic of a Service elsewhere. */
export const EDIT_RULES: readonly PolicyRule[] = [
  allow(READ, "core", "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy"),
  allow("impersonate", "core", "serviceaccounts"),
  allow(WRITE, "core", "pods pods/attach pods/proxy pods/exec pods/portforward"),
  allow("create", "core", "pods/eviction"),
  allow(
    WRITE,
    "core",
    "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy persistentvolumeclaims configmaps secrets",
  ),
  allow("create", "core", "serviceaccounts/token"),
  allow(WRITE, "core events.k8s.io", "events"),
  allow(
    WRITE,
    "apps",
    "statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets replicasets/scale",
  ),
  allow(WRITE, "autoscaling", "horizontalpodautoscalers"),
  allow(WRITE, "batch", "jobs cronjobs"),
  allow(
    WRITE,
    WORKLOADS,
    "daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale replicationcontrollers/scale networkpolicies",
  ),
  allow(WRITE, "policy", "poddisruptionbudgets"),
  allow(WRITE, "networking.k8s.io", "networkpolicies ingresses"),
  allow(READ_WRITE, "coordination.k8s.io", "leases"),
  allow(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
];

/** As `edit`, and the power to give others what one has. */
export const ADMIN_RULES: readonly PolicyRule[] = [
  allow("create", "authorization.k8s.io", "localsubjectaccessreviews"),
  allow(READ_WRITE, "rbac.authorization.k8s.io", "roles rolebindings"),
];
