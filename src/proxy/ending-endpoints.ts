import type { EndpointSlice } from "../api/generated/types.ts";

/** The pods of one node that no slice leads to any more and that are on their way out, kept up by changes of slices. */
export interface EndingEndpoints {
  /** The slice is so now; undefined: it is gone. */
  set(key: string, slice: EndpointSlice | undefined): void;
  /** Uids of pods. */
  readonly uids: ReadonlySet<string>;
}

interface Stand {
  /** Slices by which new connections go to the pod. */
  leading: number;
  /** Slices that say the pod is ending, and leave it out. */
  ending: number;
}

type Word = "leading" | "ending";

/** What a slice says of its pods on this node. */
function wordsOf(slice: EndpointSlice | undefined, nodeName: string): Map<string, Word> {
  const words = new Map<string, Word>();
  for (const { conditions, nodeName: node, targetRef } of slice?.endpoints ?? []) {
    const uid = targetRef?.uid;
    if (uid === undefined || node !== nodeName) continue;
    if (conditions?.ready !== false) words.set(uid, "leading");
    else if (conditions.terminating === true) words.set(uid, "ending");
  }
  return words;
}

export function endingEndpoints(nodeName: string): EndingEndpoints {
  const slices = new Map<string, Map<string, Word>>();
  const stands = new Map<string, Stand>();
  const uids = new Set<string>();

  const count = (words: ReadonlyMap<string, Word>, by: 1 | -1): void => {
    for (const [uid, word] of words) {
      let stand = stands.get(uid);
      if (stand === undefined) stands.set(uid, (stand = { leading: 0, ending: 0 }));
      stand[word] += by;
      if (stand.leading === 0 && stand.ending > 0) uids.add(uid);
      else uids.delete(uid);
      if (stand.leading === 0 && stand.ending === 0) stands.delete(uid);
    }
  };
  return {
    set(key, slice) {
      const words = wordsOf(slice, nodeName);
      // The new words first: a pod that moves from one slice to another is never without one.
      const before = slices.get(key);
      count(words, 1);
      if (before !== undefined) count(before, -1);
      if (words.size === 0) slices.delete(key);
      else slices.set(key, words);
    },
    uids,
  };
}
