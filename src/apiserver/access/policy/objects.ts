import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from "../../../api/generated/types.ts";
import { apiVersionOf } from "../../../api/object.ts";
import { roles } from "../../../api/resources.ts";

/** With this annotation set to `false` an object is left as it is. */
export const AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";

const apiVersion = apiVersionOf(roles);
const metadata = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
  annotations: { [AUTOUPDATE]: "true" },
});

const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;

export const clusterRole = (name: string, ...rules: readonly PolicyRule[]): ClusterRole => ({
  apiVersion,
  kind: "ClusterRole",
  metadata: metadata(name),
  rules: [...rules],
});

/** A role that is part of another one, whoever wrote that. */
export const partOf = (whole: string, name: string, ...rules: readonly PolicyRule[]): ClusterRole => ({
  ...clusterRole(name, ...rules),
  metadata: metadata(name, { [aggregateTo(whole)]: "true" }),
});

/** A role that gathers the rules of all roles labelled for it; it may be part of a larger one itself. */
export const gathering = (name: string, whole?: string): ClusterRole => ({
  apiVersion,
  kind: "ClusterRole",
  metadata: metadata(name, whole === undefined ? {} : { [aggregateTo(whole)]: "true" }),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: "true" } }] },
});

export const user = (name: string): Subject => ({ kind: "User", name });
export const group = (name: string): Subject => ({ kind: "Group", name });
export const serviceAccount = (namespace: string, name: string): Subject => ({
  kind: "ServiceAccount",
  namespace,
  name,
});

/** Binds a ClusterRole under the role's own name. */
export const bound = (name: string, ...subjects: readonly Subject[]): ClusterRoleBinding => ({
  apiVersion,
  kind: "ClusterRoleBinding",
  metadata: metadata(name),
  roleRef: { apiGroup: roles.group, kind: "ClusterRole", name },
  ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
});

export const roleIn = (namespace: string, name: string, ...rules: readonly PolicyRule[]): Role => ({
  apiVersion,
  kind: "Role",
  metadata: { ...metadata(name), namespace },
  rules: [...rules],
});

export const boundIn = (
  namespace: string,
  name: string,
  role: string,
  ...subjects: readonly Subject[]
): RoleBinding => ({
  apiVersion,
  kind: "RoleBinding",
  metadata: { ...metadata(name), namespace },
  roleRef: { apiGroup: roles.group, kind: "Role", name: role },
  subjects: [...subjects],
});
