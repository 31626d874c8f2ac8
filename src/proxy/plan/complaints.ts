/** Gathers sentences, of each sort the first few, so that five thousand bad endpoints are no five thousand sentences. */
export interface Complaints {
  /** Sentences of one sort are counted together; without a sort each is its own. */
  add(sentence: string, sort?: string): void;
  all(): readonly string[];
}

const NONE: readonly never[] = [];
/** Sentences of a sort that are told in full. */
const EACH = 3;
/** Sentences that are told in all. */
const MOST = 20;

const few = (sentences: readonly string[], most: number, more: (count: number) => string): readonly string[] =>
  sentences.length <= most ? sentences : [...sentences.slice(0, most), more(sentences.length - most)];

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
      const each = [...told.values()].flatMap((same) => few(same, EACH, (count) => `and ${count} more like it`));
      return few(each, MOST, (count) => `and ${count} more sentences like these`).map((text) => `${about}${text}`);
    },
  };
}
