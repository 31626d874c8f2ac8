import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { selectorOf, selects } from "./addresses.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * Which Services select a pod, without asking all of them. Each selector is filed under one of its pairs, the one with the
 * fewest Services so far; a pod's labels lead to the few files that can hold a match.
 */
export interface Selections {
  set(service: Service): void;
  delete(key: string): void;
  /** Keys of the Services of this namespace that select these labels. */
  selecting(namespace: string, labels: Labels | undefined): string[];
}

const wordOf = (namespace: string, key: string, value: string): string => `${namespace}/${key}=${value}`;

/** The words under which a pod is found by `selectedBy`. */
export const labelWords = (object: {
  metadata: { namespace?: string | undefined; labels?: Labels | undefined };
}): string[] =>
  Object.entries(object.metadata.labels ?? {}).map(([key, value]) =>
    wordOf(object.metadata.namespace ?? "", key, value),
  );

/** CTL-003: the objects of the namespace whose labels match, looked for under the selector's rarest pair. */
export function selectedBy<T extends { metadata: { labels?: Labels | undefined } }>(
  namespace: string,
  selector: Labels,
  find: (word: string) => readonly T[],
): T[] {
  let fewest: readonly T[] | undefined;
  for (const [key, value] of Object.entries(selector)) {
    const found = find(wordOf(namespace, key, value));
    if (fewest === undefined || found.length < fewest.length) fewest = found;
    if (found.length === 0) break;
  }
  return (fewest ?? []).filter(({ metadata }) => selects(selector, metadata.labels ?? {}));
}

export function createSelections(): Selections {
  const files = new Map<string, Map<string, Labels>>();
  const filedUnder = new Map<string, string>();

  const forget = (key: string): void => {
    const word = filedUnder.get(key);
    if (word === undefined) return;
    filedUnder.delete(key);
    const file = files.get(word);
    if (file?.delete(key) === true && file.size === 0) files.delete(word);
  };
  return {
    set(service) {
      const key = keyOf(service);
      forget(key);
      const selector = selectorOf(service);
      if (selector === undefined) return;
      const words = Object.entries(selector).map(([name, value]) =>
        wordOf(service.metadata.namespace ?? "", name, value),
      );
      const sizeOf = (word: string): number => files.get(word)?.size ?? 0;
      const word = words.reduce((best, next) => (sizeOf(next) < sizeOf(best) ? next : best));
      let file = files.get(word);
      if (file === undefined) files.set(word, (file = new Map()));
      file.set(key, selector);
      filedUnder.set(key, word);
    },
    delete: forget,
    selecting(namespace, labels) {
      if (labels === undefined) return [];
      const keys: string[] = [];
      for (const [name, value] of Object.entries(labels)) {
        for (const [key, selector] of files.get(wordOf(namespace, name, value)) ?? []) {
          if (selects(selector, labels)) keys.push(key);
        }
      }
      return keys;
    },
  };
}
