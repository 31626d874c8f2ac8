import { clusterRole } from "../../api/clusterRole/clusterRole.ts";
import { clusterRoleBinding } from "../../api/clusterRoleBinding/clusterRoleBinding.ts";
import type { ClusterRole, LabelSelector, Subject } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import { sameJson } from "../../api/meta/values.ts";
import type { KubeObject } from "../../api/object.ts";
import { role } from "../../api/role/role.ts";
import { roleBinding } from "../../api/roleBinding/roleBinding.ts";
import { AUTOUPDATE } from "../access/policy/objects.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES } from "../access/policy/policy.ts";
import { uncovered } from "../access/rbac/covers.ts";
import type { Binding } from "../access/rbac/bindings.ts";
import type { Draft } from "./draft.ts";

/** What is wanted, with what somebody else has put beside it. */
const merged = <T extends KubeObject>(stored: T, wanted: T): T => ({
  ...stored,
  metadata: {
    ...stored.metadata,
    labels: { ...wanted.metadata.labels, ...stored.metadata.labels },
    annotations: { ...wanted.metadata.annotations, ...stored.metadata.annotations },
  },
});

const missing = <T>(stored: readonly T[], wanted: readonly T[]): T[] =>
  wanted.filter((one) => !stored.some((other) => sameJson(one, other)));

type AnyRole = KubeObject & Pick<ClusterRole, "rules" | "aggregationRule">;

const selectorsOf = ({ aggregationRule }: AnyRole): readonly LabelSelector[] =>
  aggregationRule?.clusterRoleSelectors ?? [];

/** The stored role with the rules and selectors that it lacks. Nothing is taken away but an aggregation that is not wanted at all. */
export function reconciledRole<T extends AnyRole>(stored: T, wanted: T): T {
  const { aggregationRule: _, rules, ...next } = merged<AnyRole>(stored, wanted);
  const held = rules ?? [];
  const lacking = sameJson(held, wanted.rules ?? []) ? [] : uncovered(held, wanted.rules ?? []);
  const selectors = [...selectorsOf(stored), ...missing(selectorsOf(stored), selectorsOf(wanted))];
  return {
    ...next,
    ...(wanted.aggregationRule === undefined ? {} : { aggregationRule: { clusterRoleSelectors: selectors } }),
    ...(rules === undefined && lacking.length === 0 ? {} : { rules: [...held, ...lacking] }),
  } as T;
}

/** The stored binding with the subjects that it lacks; undefined when it binds another role, and so must be made anew. */
export function reconciledBinding<T extends Binding>(stored: T, wanted: T): T | undefined {
  if (!sameJson(stored.roleRef, wanted.roleRef)) return undefined;
  const next = merged(stored, wanted);
  const held: readonly Subject[] = stored.subjects ?? [];
  const lacking = missing(held, wanted.subjects ?? []);
  return lacking.length === 0 ? next : { ...next, subjects: [...held, ...lacking] };
}

async function draftEach<T extends KubeObject>(
  draft: Draft,
  kind: Kind<T>,
  all: readonly T[],
  reconciled: (stored: T, wanted: T) => T | undefined,
): Promise<void> {
  const found = await Promise.all(
    all.map(({ metadata: { name = "", namespace } }) =>
      draft.read(kind, { name, ...(namespace === undefined ? {} : { namespace }) }),
    ),
  );
  for (const [index, object] of all.entries()) {
    const item = found[index];
    if (item?.object.metadata.annotations?.[AUTOUPDATE] === "false") continue;
    const next = item === undefined ? undefined : reconciled(item.object, kind.defaults(object));
    if (item === undefined || next === undefined) draft.put(kind, draft.created(kind, object), item);
    else draft.put(kind, draft.updated(kind, next, item.object), item);
  }
}

/** Makes sure of the roles and bindings that every cluster has, unless somebody has set their annotation `autoupdate` to `false`. */
export async function draftPolicy(draft: Draft): Promise<void> {
  await Promise.all([
    draftEach(draft, clusterRole, CLUSTER_ROLES, reconciledRole),
    draftEach(draft, clusterRoleBinding, CLUSTER_ROLE_BINDINGS, reconciledBinding),
    draftEach(draft, role, ROLES, reconciledRole),
    draftEach(draft, roleBinding, ROLE_BINDINGS, reconciledBinding),
  ]);
}
