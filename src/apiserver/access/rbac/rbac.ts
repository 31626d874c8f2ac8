import type { Subject } from "../../../api/generated/types.ts";
import type { Identity } from "../../identity/identity.ts";
import { NO_OPINION, type Authorizer } from "../authorizer.ts";
import { subjectFor, type Binding } from "./bindings.ts";
import { ruleAllows } from "./matches.ts";
import { joinErrors, missingText, type Roles } from "./roles.ts";

function subjectText({ kind, name, namespace }: Subject, home: string): string {
  // Upstream writes the name before the namespace here.
  return `${kind} ${JSON.stringify(kind === "ServiceAccount" ? `${name}/${namespace || home}` : name)}`;
}

/** `ClusterRoleBinding "b" of ClusterRole "r" to Group "g"` */
function bindingText(binding: Binding, identity: Identity): string {
  const { name = "", namespace } = binding.metadata;
  const what = namespace === undefined ? "ClusterRoleBinding" : "RoleBinding";
  const named = JSON.stringify(namespace === undefined ? name : `${name}/${namespace}`);
  const subject = subjectFor(binding, identity);
  const whom = subject === undefined ? "nobody" : subjectText(subject, namespace ?? "");
  return `${what} ${named} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${whom}`;
}

/** Allows what the roles of a user allow (Kubernetes RBAC). Never denies: rules only add. */
export const rbac = (roles: Roles): Authorizer => ({
  name: "RBAC",
  decide(attributes) {
    const { identity } = attributes;
    const errors: string[] = [];
    const namespace = attributes.resource === undefined ? "" : attributes.namespace;
    for (const grant of roles.granted(identity, namespace)) {
      if (grant.rules === undefined) errors.push(missingText(grant.binding.roleRef));
      else if (grant.rules.some((rule) => ruleAllows(rule, attributes))) {
        return { verdict: "allow", reason: `RBAC: allowed by ${bindingText(grant.binding, identity)}` };
      }
    }
    return errors.length === 0 ? NO_OPINION : { verdict: "no opinion", reason: `RBAC: ${joinErrors(errors)}` };
  },
  rulesOf(identity, namespace) {
    const { rules, missing } = roles.held(identity, namespace);
    return { rules, incomplete: false, errors: missing.map(missingText) };
  },
});
