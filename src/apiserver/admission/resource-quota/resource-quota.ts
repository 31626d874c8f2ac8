import type { Pod, ResourceQuota } from "../../../api/generated/types.ts";
import type { Kind } from "../../../api/kind.ts";
import type { KubeObject } from "../../../api/object.ts";
import { endpoints, pods, resourceQuotas, services } from "../../../api/resources.ts";
import { missingCompute } from "../../../api/resourceQuota/usage/compute.ts";
import { isInScope } from "../../../api/resourceQuota/usage/scopes.ts";
import { isCounted, isOtherUsage, namesOf, usageChange } from "../../../api/resourceQuota/usage/usage.ts";
import type { Condition, Operation } from "../../../store/store.ts";
import { storedText, type Item } from "../../cache/item.ts";
import type { Context } from "../../context.ts";
import { forbiddenWrite } from "../../errors.ts";
import { objectKey } from "../../keys.ts";
import { freshItem } from "../../write.ts";
import { join, NOTHING_BESIDE, type Admission, type AdmissionRequest, type Beside } from "../admission.ts";
import { charged, isKnown } from "./charge.ts";
import { countedUsage, namespaceItem, namespaceStands, quotasOf } from "./read.ts";

/** An object as it is and as it shall be; undefined on either side is none. */
interface Change {
  readonly kind: Kind;
  readonly previous: KubeObject | undefined;
  readonly next: KubeObject | undefined;
}

const isOf = (kind: Kind, resource: { group: string; plural: string }): boolean =>
  kind.group === resource.group && kind.plural === resource.plural;

/** One quota's part in a change: its new usage, stored with the change; `refuse` is called when it does not allow it. */
async function chargeOne(
  context: Context,
  { key, object, revision }: Item,
  namespace: string,
  changes: readonly Change[],
  refuse: ((why: string) => never) | undefined,
): Promise<Beside> {
  let quota = object as ResourceQuota;
  const conditions: Condition[] = [{ key, modRevision: revision }];
  const operations: Operation[] = [];
  for (const { kind, previous, next } of changes) {
    const change = usageChange(quota.spec ?? {}, kind, previous, next);
    if (change.size === 0) continue;
    const isCountedYet = [...change.keys()].every((name) => isKnown(quota, name));
    const counted = isCountedYet ? new Map() : await countedUsage(context, kind, namespace, quota);
    const { status, refusal } = charged(quota, change, counted);
    if (refusal !== undefined) refuse?.(refusal);
    quota = { ...quota, status };
  }
  if (quota !== object) operations.push({ type: "put", key, value: storedText(quota) });
  return { conditions, operations };
}

/** Who limits what pods take of the machines has every pod say what it takes. */
function checkCompute(quotas: readonly Item[], pod: Pod, kind: Kind, refuse: (why: string) => never): void {
  for (const item of quotas) {
    const { metadata, spec = {} } = item.object as ResourceQuota;
    if (!isInScope(spec, pod)) continue;
    const missing = missingCompute(pod, namesOf(spec, kind));
    if (missing !== undefined) refuse(`failed quota: ${metadata.name}: ${missing}`);
  }
}

/** A new quota moves its namespace on, so that nobody writes on the ground that there is none. */
async function announceQuota(context: Context, namespace: string, isRetry: boolean): Promise<Beside> {
  const item = await namespaceItem(context, namespace, isRetry);
  if (item === undefined) return NOTHING_BESIDE;
  return {
    conditions: [{ key: item.key, modRevision: item.revision }],
    operations: [{ type: "put", key: item.key, value: storedText(item.object) }],
  };
}

async function admit(request: AdmissionRequest, context: Context): Promise<Beside> {
  const { operation, kind, namespace, name, subresource, next, previous, isRetry } = request;
  if (operation === "delete" || namespace === undefined || !isCounted(kind)) return NOTHING_BESIDE;
  const isCreate = previous === undefined;
  // What is created below an object, a token say, is no object of the kind.
  if (isCreate && subresource !== undefined) return NOTHING_BESIDE;
  if (!isCreate && !isOtherUsage(kind, previous, next!)) return NOTHING_BESIDE;
  const parts: Beside[] = [];
  // The namespace is read before its quotas: a quota that is made in between then fails the write, and is not overlooked.
  // A create stands on its namespace already (see `namespace-lifecycle.ts`).
  if (!isCreate) parts.push({ conditions: [await namespaceStands(context, namespace, isRetry)], operations: [] });
  else if (isOf(kind, resourceQuotas)) parts.push(await announceQuota(context, namespace, isRetry));
  const quotas = await quotasOf(context, namespace, isRetry);
  const refuse = (why: string): never => {
    throw forbiddenWrite(kind, name, why);
  };
  if (isCreate && isOf(kind, pods)) checkCompute(quotas, next as Pod, kind, refuse);
  for (const quota of quotas) {
    // A status only says what has come to be, which no refusal undoes.
    const judge = subresource === "status" ? undefined : refuse;
    parts.push(await chargeOne(context, quota, namespace, [{ kind, previous, next }], judge));
  }
  return join(parts);
}

/** What a Service takes along when it goes (see `service-endpoints.ts`) is no longer used either. */
async function takenAlong(
  context: Context,
  service: KubeObject,
  quotas: readonly Item[],
): Promise<{ changes: Change[]; conditions: Condition[] }> {
  const kind = context.kinds.find(endpoints.group, endpoints.version, endpoints.plural);
  const isLimited = quotas.some(
    ({ object }) => kind !== undefined && namesOf((object as ResourceQuota).spec ?? {}, kind).length > 0,
  );
  if (kind === undefined || !isLimited) return { changes: [], conditions: [] };
  const at = { namespace: service.metadata.namespace, name: service.metadata.name ?? "" };
  const item = await freshItem(context, kind, at);
  if (item === undefined) return { changes: [], conditions: [{ key: objectKey(kind, at), absent: true }] };
  return {
    changes: [{ kind, previous: item.object, next: undefined }],
    conditions: [{ key: item.key, modRevision: item.revision }],
  };
}

async function released(kind: Kind, object: KubeObject, context: Context, isRetry: boolean): Promise<Beside> {
  const { namespace, name = "" } = object.metadata;
  if (namespace === undefined || !isCounted(kind)) return NOTHING_BESIDE;
  const own = objectKey(kind, { namespace, name });
  // Before the quotas, as in `admit`.
  const ground = { conditions: [await namespaceStands(context, namespace, isRetry)], operations: [] };
  // A quota that goes keeps no account of its own going.
  const quotas = (await quotasOf(context, namespace, isRetry)).filter(({ key }) => key !== own);
  if (quotas.length === 0) return ground;
  const { changes, conditions } = isOf(kind, services)
    ? await takenAlong(context, object, quotas)
    : { changes: [], conditions: [] };
  const all = [{ kind, previous: object, next: undefined }, ...changes];
  const parts: Beside[] = [ground, { conditions, operations: [] }];
  for (const quota of quotas) parts.push(await chargeOne(context, quota, namespace, all, undefined));
  return join(parts);
}

/**
 * Keeps what a namespace holds within its ResourceQuotas (SVC-305 … SVC-307). What is used is stored in the same transaction as the
 * object that uses it, and given back in the one that removes it. It is exact because a write stands on everything it was judged by: on each
 * quota of the namespace as it was read, and on the namespace, which a new quota moves on. Whoever counts, here or in a
 * controller, therefore loses against whoever writes, and counts again.
 *
 * Upstream refuses everything that a quota limits until a controller has counted (`status unknown for quota`), and limits nothing
 * before that controller has seen the quota; here what is not known yet is counted at once.
 */
export const resourceQuota: Admission = { name: "ResourceQuota", admit, released };
