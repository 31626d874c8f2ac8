import type { LabelSelector, ObjectMeta } from "../../api/generated/types.ts";
import { labelWords } from "../pods/selections.ts";
import { controllerUid } from "./reference.ts";

interface Labeled {
  readonly metadata: ObjectMeta;
}

/** The one word that a write of ours is filed under: the controller's uid, or the namespace (with a slash) of what has none. */
export const ownerWord = (object: Labeled): string => controllerUid(object) ?? `${object.metadata.namespace ?? ""}/`;

/** The words of the index `owner`: the controller's uid; of an object that nobody manages, its namespace and its labels. */
export function ownerWords(object: Labeled): string[] {
  const uid = controllerUid(object);
  return uid === undefined ? [ownerWord(object), ...labelWords(object)] : [uid];
}

/**
 * The word of the index `selector`, under which an owner is found from the labels of what it may adopt: the longest pair of its
 * selector, which is mostly the rarest, or its namespace when it has none. See `wordsOfSelectors`.
 */
export function selectorWord(namespace: string | undefined, { matchLabels = {} }: LabelSelector): string {
  const pairs = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return `${namespace ?? ""}/${pairs.reduce((best, pair) => (pair.length > best.length ? pair : best), "")}`;
}

/** The words under which the owners that may adopt this object are found in the index `selector`. */
export const wordsOfSelectors = (object: Labeled): string[] => [
  ...labelWords(object),
  `${object.metadata.namespace ?? ""}/`,
];
