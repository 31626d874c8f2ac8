import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../../api/generated/types.ts";
import { AUTHENTICATED, MASTERS, UNAUTHENTICATED } from "../../identity/identity.ts";
import { NODE_RULES } from "./node.ts";
import { bound, boundIn, clusterRole, gathering, group, partOf, roleIn, serviceAccount, user } from "./objects.ts";
import { ADMIN_RULES, EDIT_RULES, VIEW_RULES } from "./people.ts";
import { allow, allowUrls, READ, READ_WRITE, TELL } from "./rules.ts";

const SYSTEM = "kube-system";
const NODE_LEASES = "kube-node-lease";
/** Who cluster DNS is to the API server. */
const DNS = "system:fairlead:dns";
/** Who the HTTP door is. */
const INGRESS = "system:fairlead:ingress";
const INGRESS_NAME = "fairlead-ingress";
const PROXY = "system:kube-proxy";
/** A proxy tells in a Lease how far its rules have come, and its node reads it. */
const APPLIED = "system:fairlead:proxy";
const SCHEDULER = "system:kube-scheduler";
const MANAGER = "system:kube-controller-manager";
const HEALTH = "/livez /readyz /healthz";

/**
 * The ClusterRoles that every cluster has, by the names and with the rules that clients and manifests count on. Left out are those for what
 * is not served here: volumes, certificate signing, the many controllers of upstream.
 */
export const CLUSTER_ROLES: readonly ClusterRole[] = [
  clusterRole("cluster-admin", allow("*", "*", "*"), allowUrls("*", "*")),
  clusterRole(
    "system:discovery",
    allowUrls("get", `${HEALTH} /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*`),
  ),
  clusterRole(
    "system:monitoring",
    allowUrls("get", `/metrics /metrics/slis ${HEALTH} /livez/* /readyz/* /healthz/*`),
    allow("get", "core", "nodes/metrics"),
  ),
  clusterRole(
    "system:basic-user",
    allow("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    allow("create", "authentication.k8s.io", "selfsubjectreviews"),
  ),
  clusterRole("system:public-info-viewer", allowUrls("get", `${HEALTH} /version /version/`)),
  gathering("admin"),
  gathering("edit", "admin"),
  gathering("view", "edit"),
  partOf("admin", "system:aggregate-to-admin", ...ADMIN_RULES),
  partOf("edit", "system:aggregate-to-edit", ...EDIT_RULES),
  partOf("view", "system:aggregate-to-view", ...VIEW_RULES),
  clusterRole("system:node", ...NODE_RULES),
  clusterRole(
    "system:node-problem-detector",
    allow("get", "core", "nodes"),
    allow("patch", "core", "nodes/status"),
    TELL,
  ),
  clusterRole(
    "system:auth-delegator",
    allow("create", "authentication.k8s.io", "tokenreviews"),
    allow("create", "authorization.k8s.io", "subjectaccessreviews"),
  ),
  clusterRole("system:kube-dns", allow("list watch", "core", "endpoints services")),
  clusterRole(
    "system:service-account-issuer-discovery",
    allowUrls(
      "get",
      "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
    ),
  ),
  clusterRole(
    "system:kubelet-api-admin",
    allow(READ, "core", "nodes"),
    allow("proxy", "core", "nodes"),
    allow("*", "core", "nodes/proxy nodes/metrics nodes/stats nodes/log"),
    allow("*", "core", "nodes/pods nodes/healthz nodes/configz"),
  ),
  clusterRole(
    "system:node-proxier",
    allow("list watch", "core", "services endpoints"),
    allow(READ, "core", "nodes"),
    TELL,
    allow("list watch", "networking.k8s.io", "servicecidrs"),
    allow("list watch", "discovery.k8s.io", "endpointslices"),
  ),
  clusterRole(
    "system:kube-scheduler",
    TELL,
    allow("create", "coordination.k8s.io", "leases"),
    allow("get update list watch", "coordination.k8s.io", "leases", "kube-scheduler"),
    allow(READ_WRITE, "coordination.k8s.io", "leasecandidates"),
    allow(READ, "core", "nodes"),
    allow(`${READ} delete`, "core", "pods"),
    allow("create", "core", "pods/binding bindings"),
    allow("patch update", "core", "pods/status"),
    allow(READ, "core", "services replicationcontrollers"),
    allow(READ, "apps extensions", "replicasets"),
    allow(READ, "apps", "statefulsets"),
    allow(READ, "policy", "poddisruptionbudgets"),
    allow(READ, "core", "persistentvolumeclaims persistentvolumes"),
    allow("create", "authentication.k8s.io", "tokenreviews"),
    allow("create", "authorization.k8s.io", "subjectaccessreviews"),
    allow(READ, "core", "namespaces"),
    allow(READ, "storage.k8s.io", "csinodes volumeattachments csidrivers csistoragecapacities"),
  ),
  clusterRole(
    MANAGER,
    TELL,
    allow("create", "coordination.k8s.io", "leases"),
    allow("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
    allow("create", "core", "secrets serviceaccounts"),
    allow("delete", "core", "secrets"),
    allow("get", "core", "namespaces secrets serviceaccounts configmaps"),
    allow("update", "core", "secrets serviceaccounts"),
    allow("create", "authentication.k8s.io", "tokenreviews"),
    allow("create", "authorization.k8s.io", "subjectaccessreviews"),
    allow("list watch", "*", "*"),
    allow("create", "core", "serviceaccounts/token"),
  ),
  // Fairlead's own.
  clusterRole(DNS, allow(READ, "core", "services namespaces pods"), allow(READ, "discovery.k8s.io", "endpointslices")),
  clusterRole(
    INGRESS,
    TELL,
    allow(READ, "core", "services secrets configmaps"),
    allow(READ, "discovery.k8s.io", "endpointslices"),
    allow(READ, "networking.k8s.io", "ingresses ingressclasses"),
    allow("create", "networking.k8s.io", "ingressclasses"),
    allow("update patch", "networking.k8s.io", "ingresses/status"),
  ),
];

export const CLUSTER_ROLE_BINDINGS: readonly ClusterRoleBinding[] = [
  bound("cluster-admin", group(MASTERS)),
  bound("system:monitoring", group("system:monitoring")),
  bound("system:discovery", group(AUTHENTICATED)),
  bound("system:basic-user", group(AUTHENTICATED)),
  bound("system:public-info-viewer", group(AUTHENTICATED), group(UNAUTHENTICATED)),
  bound("system:node-proxier", user(PROXY)),
  bound(MANAGER, user(MANAGER)),
  bound("system:kube-dns", serviceAccount(SYSTEM, "kube-dns")),
  bound("system:kube-scheduler", user(SCHEDULER)),
  // Bound to nobody: what a node may do is for the Node authorizer to say, which narrows it to its own.
  bound("system:node"),
  bound("system:service-account-issuer-discovery", group("system:serviceaccounts")),
  bound(DNS, user(DNS)),
  bound(INGRESS, user(INGRESS)),
];

const LEADERS = [
  ["kube-controller-manager", MANAGER, "leader-election-controller"],
  ["kube-scheduler", SCHEDULER, undefined],
] as const;

export const ROLES: readonly Role[] = [
  roleIn(
    SYSTEM,
    "extension-apiserver-authentication-reader",
    allow(READ, "core", "configmaps", "extension-apiserver-authentication"),
  ),
  ...LEADERS.map(([name]) =>
    roleIn(
      SYSTEM,
      `system::leader-locking-${name}`,
      allow("get watch list create update", "coordination.k8s.io", "leases"),
      allow("get watch list create update", "coordination.k8s.io", "leasecandidates"),
    ),
  ),
  // Cluster DNS is a Service without a selector, whose EndpointSlices the DNS part writes itself.
  roleIn(
    SYSTEM,
    DNS,
    allow("create", "core", "services"),
    allow("update delete", "core", "services", "kube-dns"),
    allow("create update delete", "discovery.k8s.io", "endpointslices"),
  ),
  // So is the door; beside that it keeps the key of its session cookies, and one of its replicas writes status.
  roleIn(
    SYSTEM,
    INGRESS,
    allow("create", "core", "services secrets"),
    allow("update", "core", "services", INGRESS_NAME),
    allow("update", "core", "secrets", "fairlead-ingress-cookie"),
    allow("create update delete", "discovery.k8s.io", "endpointslices"),
    allow("create", "coordination.k8s.io", "leases"),
    allow("get update patch", "coordination.k8s.io", "leases", INGRESS_NAME),
  ),
  roleIn(NODE_LEASES, APPLIED, allow("create get update patch", "coordination.k8s.io", "leases")),
];

export const ROLE_BINDINGS: readonly RoleBinding[] = [
  boundIn(
    SYSTEM,
    "system::extension-apiserver-authentication-reader",
    "extension-apiserver-authentication-reader",
    user(MANAGER),
    user(SCHEDULER),
  ),
  ...LEADERS.map(([name, who, other]) =>
    boundIn(
      SYSTEM,
      `system::leader-locking-${name}`,
      `system::leader-locking-${name}`,
      user(who),
      ...[name, other].flatMap((account) => (account === undefined ? [] : [serviceAccount(SYSTEM, account)])),
    ),
  ),
  boundIn(SYSTEM, DNS, DNS, user(DNS)),
  boundIn(SYSTEM, INGRESS, INGRESS, user(INGRESS)),
  boundIn(NODE_LEASES, APPLIED, APPLIED, user(PROXY)),
];
