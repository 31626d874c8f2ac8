import type { ResourceQuota } from "../../../api/generated/types.ts";
import type { Kind } from "../../../api/kind.ts";
import type { KubeObject } from "../../../api/object.ts";
import { namespaces, resourceQuotas } from "../../../api/resources.ts";
import { totalUsage, type Usage } from "../../../api/resourceQuota/usage/usage.ts";
import type { Condition } from "../../../store/store.ts";
import { itemOf, type Item } from "../../cache/item.ts";
import type { Context } from "../../context.ts";
import { objectKey, prefixOf } from "../../keys.ts";
import { freshItem, itemAt } from "../../write.ts";

/** The quotas of a namespace, in the order of their names. In memory that is a look at an index; `isFresh` asks the store. */
export async function quotasOf(context: Context, namespace: string, isFresh: boolean): Promise<Item[]> {
  const kind = context.kinds.find(resourceQuotas.group, resourceQuotas.version, resourceQuotas.plural);
  if (kind === undefined) return [];
  const prefix = prefixOf(kind, namespace);
  if (!isFresh) return [...context.cache.of(kind).range(prefix)];
  return (await context.store.list(prefix)).entries.map(itemOf);
}

/** Whether a namespace has quotas, as far as is known here. */
export function hasQuotas(context: Context, namespace: string): boolean {
  const kind = context.kinds.find(resourceQuotas.group, resourceQuotas.version, resourceQuotas.plural);
  return kind !== undefined && context.cache.of(kind).range(prefixOf(kind, namespace)).next().done !== true;
}

export async function namespaceItem(context: Context, name: string, isFresh: boolean): Promise<Item | undefined> {
  const kind = context.kinds.find(namespaces.group, namespaces.version, namespaces.plural);
  if (kind === undefined) return undefined;
  const at = { namespace: undefined, name };
  return (isFresh ? undefined : itemAt(context, kind, at)) ?? (await freshItem(context, kind, at));
}

/** The namespace is as it was read: no quota has been made in it since (see `resource-quota.ts`). */
export async function namespaceStands(context: Context, name: string, isFresh: boolean): Promise<Condition> {
  const item = await namespaceItem(context, name, isFresh);
  return item === undefined
    ? { key: objectKey(namespaces, { name }), absent: true }
    : { key: item.key, modRevision: item.revision };
}

/** What a quota's names that are about a kind amount to, by counting what is stored now. */
export async function countedUsage(
  context: Context,
  kind: Kind,
  namespace: string,
  quota: ResourceQuota,
): Promise<Usage> {
  const { entries } = await context.store.list(prefixOf(kind, namespace));
  return totalUsage(
    quota.spec ?? {},
    kind,
    entries.map(({ value }) => JSON.parse(value) as KubeObject),
  );
}
