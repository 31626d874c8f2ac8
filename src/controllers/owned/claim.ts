import type { KubeObject } from "../../api/object.ts";
import type { LabelMatcher } from "./selector.ts";
import { controllerUid } from "./reference.ts";

export interface Claims<T> {
  /** Managed by the owner already, and selected. */
  readonly owned: readonly T[];
  /** Selected and nobody's: to be adopted. */
  readonly adopt: readonly T[];
  /** Managed by the owner, but selected no longer: to be set free. */
  readonly release: readonly T[];
}

/**
 * What of `objects` belongs to `owner`, by selector and controller reference. What another controller manages is let alone;
 * an owner that is being deleted takes and frees nothing; what is being deleted itself is not adopted.
 */
export function decideClaims<T extends KubeObject>(
  owner: KubeObject,
  matches: LabelMatcher,
  objects: Iterable<T>,
): Claims<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ending = owner.metadata.deletionTimestamp !== undefined;
  for (const object of objects) {
    const { namespace, labels, deletionTimestamp } = object.metadata;
    const controller = controllerUid(object);
    const selected = matches(labels);
    if (controller === undefined) {
      const free = deletionTimestamp === undefined && namespace === owner.metadata.namespace;
      if (selected && free && !ending) adopt.push(object);
    } else if (controller === owner.metadata.uid) {
      if (selected) owned.push(object);
      else if (!ending) release.push(object);
    }
  }
  return { owned, adopt, release };
}
