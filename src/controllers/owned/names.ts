import { generatedName } from "./template.ts";

/** Names for new pods, of which those without an answer are used again before another is made up. */
export interface PodNames {
  take(uid: string, prefix: string, purpose: string): string;
  /** Whether there is a pod of this name could not be learnt. */
  putBack(uid: string, name: string, purpose: string): void;
  /** The server has answered about this name. */
  settle(uid: string, name: string): void;
  forget(uid: string): void;
}

export function createPodNames(random: () => number): PodNames {
  /** By the owner's uid: name → purpose. */
  const unanswered = new Map<string, Map<string, string>>();
  return {
    take(uid, prefix, purpose) {
      const names = unanswered.get(uid);
      for (const [name, held] of names ?? []) {
        if (held !== purpose) continue;
        names!.delete(name);
        return name;
      }
      return generatedName(prefix, random);
    },
    putBack(uid, name, purpose) {
      let names = unanswered.get(uid);
      if (names === undefined) unanswered.set(uid, (names = new Map()));
      names.set(name, purpose);
    },
    settle(uid, name) {
      const names = unanswered.get(uid);
      if (names?.delete(name) === true && names.size === 0) unanswered.delete(uid);
    },
    forget: (uid) => void unanswered.delete(uid),
  };
}
