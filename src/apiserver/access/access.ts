import { escalation } from "../admission/escalation.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import type { Admission } from "../admission/admission.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { Authorizer } from "./authorizer.ts";
import { node } from "./nodes/authorizer.ts";
import { rbac } from "./rbac/rbac.ts";
import { Roles } from "./rbac/roles.ts";

/** Who may do what: judges of requests, and the rules over writes that belong to them. */
export interface Access {
  readonly authorizers: readonly Authorizer[];
  readonly admissions: readonly Admission[];
}

/** Nodes do what nodes do, everybody else what their roles say (`--authorization-mode=Node,RBAC`). */
export function nodesAndRoles(cache: WatchCache): Access {
  const roles = new Roles(cache);
  return {
    authorizers: [node(cache), rbac(roles)],
    admissions: [nodeRestriction, escalation(roles)],
  };
}
