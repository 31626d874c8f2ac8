import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { admitted, mutated } from "../admission/admission.ts";
import { inTurn } from "../admission/resource-quota/in-turn.ts";
import { storedText, type Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { alreadyExists, notUnique } from "../errors.ts";
import { objectKey } from "../keys.ts";
import { newUid } from "../uid.ts";
import { trackUpdate } from "../managed/track-update.ts";
import { itemFor, MAXIMUM_ATTEMPTS, store, storedItem } from "../write.ts";
import type { Writer } from "../writer.ts";

/** Signs of generated names: no vowels and nothing that looks like another, as upstream. */
const NAME_SIGNS = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
/** Longest prefix that still leaves room for the suffix within 63 signs. */
const MAXIMUM_PREFIX = 63 - SUFFIX_LENGTH;

const generatedName = (prefix: string, random: Context["random"]): string =>
  prefix.slice(0, MAXIMUM_PREFIX) +
  [...random(SUFFIX_LENGTH)].map((byte) => NAME_SIGNS[byte % NAME_SIGNS.length]!).join("");

const nameFor = (kind: Kind, prefix: string, random: Context["random"]): string =>
  kind.generatesNames === false ? prefix : generatedName(prefix, random);

/** Stores a new, decoded object in the order of SVC-107. Throws ApiErrors; answers with the object as stored. */
export const createObject = (
  context: Context,
  kind: Kind,
  decoded: KubeObject,
  writer: Writer,
  subresource = "",
): Promise<Item> =>
  inTurn(context, kind, decoded.metadata.namespace, { isUpdate: false }, () =>
    createNow(context, kind, decoded, writer, subresource),
  );

async function createNow(
  context: Context,
  kind: Kind,
  decoded: KubeObject,
  writer: Writer,
  subresource: string,
): Promise<Item> {
  const now = timestamp(context.clock.now());
  const { resourceVersion, generateName } = decoded.metadata;
  if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== "0") {
    throw new ApiError("BadRequest", "resourceVersion should not be set on objects to be created");
  }
  const isGenerated = !decoded.metadata.name && !!generateName;
  let isRetry = false;
  for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
    const { resourceVersion: _, ...metadata } = decoded.metadata;
    const named: KubeObject = {
      ...decoded,
      metadata: {
        ...metadata,
        ...(isGenerated ? { name: nameFor(kind, generateName, context.random) } : {}),
        uid: newUid(context.random),
        creationTimestamp: now,
      },
    };
    const request = {
      ...writer,
      operation: "create" as const,
      kind,
      subresource: undefined,
      namespace: named.metadata.namespace,
      name: named.metadata.name ?? "",
      previous: undefined,
      isRetry,
    };
    const filled = kind.defaults(named);
    const tracked =
      writer.fieldManager === undefined
        ? filled
        : trackUpdate(kind, undefined, filled, { manager: writer.fieldManager, subresource, now });
    const next = await mutated(context, { ...request, next: tracked });
    const claimed = await context.claims.claim({ kind, previous: undefined, next, dryRun: writer.dryRun, isRetry });
    const object = kind.prepareForCreate(claimed.object ?? next, { now });
    const name = object.metadata.name ?? "";
    const faults = kind.validate(object, undefined);
    if (faults.length > 0) throw invalidObject(kind.group, kind.kind, name, faults);
    for (const warning of kind.warnings?.(object, undefined) ?? []) writer.warn(warning);
    const beside = await admitted(context, { ...request, next: object });
    const key = objectKey(kind, { namespace: object.metadata.namespace, name });
    if (writer.dryRun) {
      if (context.cache.of(kind).get(key) !== undefined) throw alreadyExists(kind, name);
      return itemFor(key, object, 0);
    }
    const result = await store(
      context,
      [{ key, absent: true }, ...beside.conditions, ...claimed.conditions],
      [{ type: "put", key, value: storedText(object) }, ...claimed.operations, ...beside.operations],
    );
    if (result.ok) return storedItem(context, kind, key, object, result.revision);
    if (result.failedKey === key && !isGenerated) throw alreadyExists(kind, name);
    if (result.failedKey === key && kind.generatesNames === false) throw notUnique(kind, name);
    isRetry = true;
  }
  throw new ApiError(
    "Timeout",
    `creating ${kind.plural}: other writers came first ${MAXIMUM_ATTEMPTS} times; try again`,
    {
      retryAfterSeconds: 1,
    },
  );
}
