import { isDeepStrictEqual } from "node:util";
import type { ClusterRole, PolicyRule, RoleBinding } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import * as resources from "../../api/resources.ts";
import { describeRules, uncovered } from "../access/rbac/covers.ts";
import { joinErrors, type Roles } from "../access/rbac/roles.ts";
import type { Context } from "../context.ts";
import { forbiddenWrite, notFound } from "../errors.ts";
import { MASTERS } from "../identity/identity.ts";
import { NOTHING_BESIDE, type Admission, type AdmissionRequest } from "./admission.ts";

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** True when nothing changes but what the garbage collector writes, so that an object can go whose rules its deleter does not hold. */
function onlyReleases(next: KubeObject, previous: KubeObject): boolean {
  const kept = (object: KubeObject): unknown => {
    const {
      ownerReferences: _o,
      finalizers: _f,
      managedFields: _m,
      resourceVersion: _r,
      ...metadata
    } = object.metadata;
    return JSON.parse(JSON.stringify({ ...object, metadata })) as unknown;
  };
  return isDeepStrictEqual(kept(next), kept(previous));
}

interface Asked {
  readonly verb: "escalate" | "bind";
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
}

function mayDo(request: AdmissionRequest, context: Context, asked: Asked): boolean {
  const { group, version } = resources.roles;
  const attributes = { ...asked, group, version, subresource: "", path: "", identity: request.identity };
  return context.authorizer.decide(attributes).verdict === "allow";
}

const isAggregating = (role: KubeObject | undefined): boolean =>
  ((role as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0;

/**
 * Nobody gives away more than they hold: a role may only have rules that its writer has in that place (or the verb `escalate` on it), and
 * only a role may be bound whose rules the writer has (or the verb `bind` on it). `system:masters` hold everything.
 */
export const escalation = (roles: Roles): Admission => {
  const confirm = ({ identity, kind, name }: AdmissionRequest, namespace: string, rules: readonly PolicyRule[]) => {
    const held = roles.held(identity, namespace);
    const missing = uncovered(held.rules, rules);
    if (missing.length === 0) return;
    const groups = identity.groups.map((group) => JSON.stringify(group)).join(" ");
    const who = `user ${JSON.stringify(identity.user)} (groups=[${groups}])`;
    // As upstream, which names the kind that is written where the role's own is meant.
    const broken = held.missing.map((ref) => `${kind.plural}.${kind.group} ${JSON.stringify(ref.name)} not found`);
    const errors = broken.length === 0 ? "" : `; resolution errors: [${joinErrors(broken)}]`;
    const why = `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(missing)}${errors}`;
    throw forbiddenWrite(kind, name, why);
  };

  const admitRole = (request: AdmissionRequest & { next: KubeObject }, context: Context): void => {
    const { kind, next, previous, name, operation, namespace = "" } = request;
    // A request to create names no object in its URL, so names in a rule do not count for it.
    const asked = operation === "create" ? "" : name;
    if (mayDo(request, context, { verb: "escalate", resource: kind.plural, name: asked, namespace })) return;
    confirm(request, namespace, (next as ClusterRole).rules ?? []);
    if (!isAggregating(next) && !isAggregating(previous)) return;
    // What it will gather is not known yet.
    if (uncovered(roles.held(request.identity, namespace).rules, EVERYTHING).length > 0) {
      throw forbiddenWrite(kind, name, "must have cluster-admin privileges to use the aggregationRule");
    }
  };

  const admitBinding = (request: AdmissionRequest & { next: KubeObject }, context: Context): void => {
    const { roleRef } = request.next as RoleBinding;
    const { namespace = "" } = request;
    const resource = roleRef.kind === "Role" ? resources.roles : resources.clusterRoles;
    if (mayDo(request, context, { verb: "bind", resource: resource.plural, name: roleRef.name, namespace })) return;
    const rules = roles.rulesOf(roleRef, namespace);
    if (rules === undefined) throw notFound(request.kind, roleRef.name);
    confirm(request, namespace, rules);
  };

  return {
    name: "RBACEscalation",
    admit(request, context) {
      const { kind, identity, next, previous } = request;
      if (kind.group !== resources.roles.group || next === undefined) return NOTHING_BESIDE;
      if (identity.groups.includes(MASTERS)) return NOTHING_BESIDE;
      if (previous !== undefined && onlyReleases(next, previous)) return NOTHING_BESIDE;
      const isRole = kind.plural === resources.roles.plural || kind.plural === resources.clusterRoles.plural;
      (isRole ? admitRole : admitBinding)({ ...request, next }, context);
      return NOTHING_BESIDE;
    },
  };
};
