/** Gathers sentences, of each sort the first few, so that five thousand bad endpoints are no five thousand sentences. */
export interface Complaints {
  /** Sentences of one sort are counted together; without a sort each is its own. */
  add(sentence: string, sort?: string): void;
  all(): readonly string[];
}

const NONE: readonly never[] = [];
/** Sentences of a sort that are told in full. */
const EACH = 3;

/** `about` begins each sentence. */
export function complaints(about = ""): Complaints {
  let told: Map<string, string[]> | undefined;
  return {
    add(sentence, sort = sentence) {
      told ??= new Map();
      const same = told.get(sort);
      if (same === undefined) told.set(sort, [sentence]);
      else if (!same.includes(sentence)) same.push(sentence);
    },
    all() {
      if (told === undefined) return NONE;
      return [...told.values()].flatMap((sentences) => {
        const shown = sentences.slice(0, EACH).map((sentence) => `${about}${sentence}`);
        const more = sentences.length - shown.length;
        return more === 0 ? shown : [...shown, `${about}and ${more} more like it`];
      });
    },
  };
}
