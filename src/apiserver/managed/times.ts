import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../api/object.ts";
import { isSame } from "../write.ts";

/** The object with the managers of another. */
export function withManagedFieldsOf(object: KubeObject, other: KubeObject): KubeObject {
  const { managedFields } = other.metadata;
  if (object.metadata.managedFields === managedFields) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** The object as it was where nothing but the times of managers differs: that somebody wrote the same again is no change. */
export function withTimesOf(object: KubeObject, previous: KubeObject): KubeObject {
  const [now, before] = [object.metadata.managedFields ?? [], previous.metadata.managedFields ?? []];
  if (now.length !== before.length) return object;
  if (now.every(({ time }, index) => time === before[index]!.time)) return object;
  const isOnlyTimes = now.every((entry, index) =>
    isDeepStrictEqual({ ...entry, time: undefined }, { ...before[index], time: undefined }),
  );
  if (!isOnlyTimes) return object;
  const settled = withManagedFieldsOf(object, previous);
  return isSame(settled, previous) ? settled : object;
}
