import { clusterRole } from "../../../api/clusterRole/clusterRole.ts";
import type { PolicyRule, RoleRef } from "../../../api/generated/types.ts";
import { role } from "../../../api/role/role.ts";
import type { WatchCache } from "../../cache/watch-cache.ts";
import type { Identity } from "../../identity/identity.ts";
import { objectKey } from "../../keys.ts";
import { BindingIndex, EVERYWHERE, type Binding } from "./bindings.ts";

/** A binding of an identity with what its role allows; undefined when there is no such role. */
export interface Grant {
  readonly binding: Binding;
  readonly rules: readonly PolicyRule[] | undefined;
}

/** Who has which rules, from the roles and bindings in memory. */
export class Roles {
  readonly #cache: WatchCache;
  readonly #bindings: BindingIndex;

  constructor(cache: WatchCache) {
    this.#cache = cache;
    this.#bindings = new BindingIndex(cache);
  }

  /** The rules of the role that a binding of a namespace names; undefined when there is none. */
  rulesOf({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const [resource, at] = kind === "Role" ? [role, { namespace, name }] : [clusterRole, { name }];
    const item = this.#cache.of(resource).get(objectKey(resource, at));
    return item === undefined ? undefined : ((item.object as { rules?: PolicyRule[] }).rules ?? []);
  }

  /** All that an identity was granted in a namespace: what counts everywhere, then what counts there. */
  *granted(identity: Identity, namespace: string): Generator<Grant, undefined> {
    for (const scope of namespace === EVERYWHERE ? [EVERYWHERE] : [EVERYWHERE, namespace]) {
      for (const binding of this.#bindings.of(identity, scope)) {
        yield { binding, rules: this.rulesOf(binding.roleRef, scope) };
      }
    }
  }

  /** The rules of an identity in a namespace, and the roles that it is bound to but that are not there. */
  held(identity: Identity, namespace: string): { readonly rules: PolicyRule[]; readonly missing: RoleRef[] } {
    const rules: PolicyRule[] = [];
    const missing: RoleRef[] = [];
    for (const grant of this.granted(identity, namespace)) {
      if (grant.rules === undefined) missing.push(grant.binding.roleRef);
      else rules.push(...grant.rules);
    }
    return { rules, missing };
  }
}

/** `clusterrole.rbac.authorization.k8s.io "x" not found` */
export const missingText = ({ kind, name }: RoleRef): string =>
  `${kind.toLowerCase()}.${role.group} ${JSON.stringify(name)} not found`;

/** Several reasons as one, each said once: `a`, or `[a, b]`. */
export function joinErrors(errors: readonly string[]): string {
  const said = [...new Set(errors)];
  return said.length === 1 ? said[0]! : `[${said.join(", ")}]`;
}
