import type { Pod } from "../../api/generated/types.ts";
import { labelWords } from "../pods/selections.ts";
import { controllerUid } from "./reference.ts";

/** The one word that a write of ours is filed under: the controller's uid, or the namespace (with a slash) of what has none. */
export const ownerWord = (pod: Pod): string => controllerUid(pod) ?? `${pod.metadata.namespace ?? ""}/`;

/** The words of the index `owner`: the controller's uid; of a pod that nobody manages, its namespace and its labels. */
export function ownerWords(pod: Pod): string[] {
  const uid = controllerUid(pod);
  return uid === undefined ? [ownerWord(pod), ...labelWords(pod)] : [uid];
}
