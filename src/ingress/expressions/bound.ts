/** How many steps a matcher that goes back on its choices takes at most, from one place of a text. */
interface Bound {
  /** In how many ways it can match there. */
  readonly ways: number;
  /** What trying them all costs. */
  readonly steps: number;
}

const ONE: Bound = { ways: 1, steps: 1 };

/** One after the other: what follows is tried once for each way of what goes before. */
const followed = (first: Bound, next: Bound): Bound => ({
  ways: first.ways * next.ways,
  steps: first.steps + first.ways * next.steps,
});

function repeated({ ways, steps }: Bound, least: number, most: number): Bound {
  if (ways <= 1) return { ways: most - least + 1, steps: (most + 1) * steps };
  let all = 0;
  let cost = 0;
  let power = 1;
  for (let times = 0; times <= most && Number.isFinite(power); times++) {
    if (times >= least) all += power;
    cost += power * steps;
    power *= ways;
  }
  return Number.isFinite(power) ? { ways: all, steps: cost } : { ways: Infinity, steps: Infinity };
}

const GROUP = /\(\?(?:<(?![=!])[^>]*>|[a-z]*(?:-[a-z]*)?:)|\(/y;
const AROUND = /\(\?<?[=!]/y;
const CLASS = /\[(?:\\[^]|[^\]\\])*\]/y;
const REFERENCE = /\\(?:[1-9]\d*|k<[^>]*>)/y;
const ESCAPE = /\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|c[A-Za-z]|[pP]\{[^}]*\}|[^])/y;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;

const UP_TO = /\[\^((?:[\w/.?&=:;,@]|\\[/.])+)\][*+]\??/.source;
const WHAT_COMES = /(?=(\\\/|[\w/&=:;,@])(?![*?{]))/.source;
/** As `[^/]+/`, `([^/]+)/` or `[^?&]*&`: all up to a character, which must come. Is it one of those that are left out? */
const UP_TO_CHARACTER = [
  new RegExp(UP_TO + WHAT_COMES, "y"),
  new RegExp(String.raw`\((?:\?:)?${UP_TO}\)${WHAT_COMES}`, "y"),
];

/** Reads an expression that is one, without the flags that change its grammar, and counts as it goes. */
class Counter {
  readonly #source: string;
  readonly #length: number;
  #at = 0;

  constructor(source: string, length: number) {
    this.#source = source;
    this.#length = length;
  }

  /** Up to a closing parenthesis or the end. */
  alternatives(): Bound {
    let all = this.#sequence();
    while (this.#source[this.#at] === "|") {
      this.#at += 1;
      const other = this.#sequence();
      all = { ways: all.ways + other.ways, steps: all.steps + other.steps };
    }
    return all;
  }

  #take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.#at;
    const found = what.exec(this.#source);
    if (found !== null) this.#at = what.lastIndex;
    return found;
  }

  #sequence(): Bound {
    const parts: Bound[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at]!)) parts.push(this.#quantified());
    return parts.reduceRight((rest, part) => followed(part, rest), ONE);
  }

  #quantified(): Bound {
    const start = this.#at;
    for (const form of UP_TO_CHARACTER) {
      const [, set, end] = this.#take(form) ?? [];
      // It can end in one place only where what follows can begin.
      if (set?.replaceAll("\\", "").includes(end!.replace("\\", ""))) return { ways: 1, steps: 2 * this.#length };
      this.#at = start;
    }
    const one = this.#one();
    const found = this.#take(QUANTIFIER);
    if (found === null) return one;
    const [, sign, from, comma, to] = found;
    if (sign === "?") return repeated(one, 0, 1);
    if (sign !== undefined) return repeated(one, 0, this.#length);
    const least = Number(from);
    const most = comma === undefined ? least : to === "" ? Math.max(least, this.#length) : Number(to);
    return repeated(one, least, Math.max(least, most));
  }

  #one(): Bound {
    if (this.#take(AROUND) !== null) {
      // Once it has matched nothing in it is tried again.
      return { ways: 1, steps: this.#inside().steps };
    }
    if (this.#take(GROUP) !== null) return this.#inside();
    if (this.#take(REFERENCE) !== null) return { ways: 1, steps: this.#length };
    if (this.#take(CLASS) === null && this.#take(ESCAPE) === null) this.#at += 1;
    return ONE;
  }

  #inside(): Bound {
    const inside = this.alternatives();
    this.#at += 1;
    return inside;
  }
}

/**
 * Steps that matching takes at most, whatever the text is, with an engine that goes back on its choices. Never too few, often too many.
 *
 * @param source of an expression that is one
 * @param length of the longest text
 * @param isAnchored it is tried at the text's beginning only
 */
export function stepsOf(source: string, length: number, isAnchored: boolean): number {
  const { steps } = new Counter(source, length).alternatives();
  return isAnchored ? steps : steps * (length + 1);
}
