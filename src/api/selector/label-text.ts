import { checkLabelValue, checkQualifiedName } from "../meta/names.ts";
import { ApiError } from "../status.ts";

export type Operator = "=" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** A mark of the grammar, or a word: a key, a value, or the name of an operator where one can stand. */
interface Token {
  readonly isWord: boolean;
  readonly text: string;
}

const TOKEN = /\s*(?:(==|!=|[=!<>(),])|([^\s=!<>(),]+))/y;
const COMPARISONS: Readonly<Record<string, Operator>> = { "=": "=", "==": "=", "!=": "!=", ">": ">", "<": "<" };

const bad = (why: string): ApiError => new ApiError("BadRequest", why);
const unexpected = (why: string): ApiError => bad(`unable to parse requirement: ${why}`);

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    tokens.push({ isWord: found[1] === undefined, text: found[1] ?? found[2]! });
  }
  return tokens;
}

/** What is wrong with the values, which are looked at in order. */
function valueFaults(key: string, operator: Operator, values: readonly string[]): string[] {
  const faults: string[] = [];
  for (const [at, value] of values.entries()) {
    const isCounted = operator === ">" || operator === "<";
    const said = JSON.stringify(value);
    if (isCounted && !/^[+-]?\d+$/.test(value)) {
      faults.push(`values[${at}]: Invalid value: ${said}: for 'Gt', 'Lt' operators, the value must be an integer`);
    }
    const why = checkLabelValue(value);
    if (why.length > 0) faults.push(`values[${at}][${key}]: Invalid value: ${said}: ${why.join("; ")}`);
  }
  return faults;
}

/** Reads one requirement after another; `#next` is undefined where the text ends. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** The next token as an error shows it. */
  get #shown(): string {
    return `'${this.#next?.text ?? ""}'`;
  }

  #is(text: string): boolean {
    return this.#next?.isWord === false && this.#next.text === text;
  }

  #take(): string {
    const { text } = this.#next!;
    this.#at += 1;
    return text;
  }

  all(): Requirement[] {
    const read: Requirement[] = [];
    const begins = (): boolean => this.#next?.isWord === true || this.#is("!");
    if (this.#next === undefined) return read;
    if (!begins()) throw bad(`found ${this.#shown}, expected: !, identifier, or 'end of string'`);
    for (;;) {
      read.push(this.#requirement());
      if (this.#next === undefined) return read;
      if (!this.#is(",")) throw bad(`found ${this.#shown}, expected: ',' or 'end of string'`);
      this.#take();
      if (!begins()) throw bad(`found ${this.#shown}, expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    const isAbsent = this.#is("!");
    if (isAbsent) this.#take();
    if (this.#next?.isWord !== true) throw unexpected(`found ${this.#shown}, expected: identifier`);
    const key = this.#take();
    const why = checkQualifiedName(key);
    if (why.length > 0) throw unexpected(`<nil>: Invalid value: ${JSON.stringify(key)}: ${why.join("; ")}`);
    if (isAbsent) return { key, operator: "!", values: [] };
    if (this.#next === undefined || this.#is(",")) return { key, operator: "exists", values: [] };
    const operator = this.#operator();
    const isSet = operator === "in" || operator === "notin";
    // As in a set: each once, in order.
    const values = [...new Set(isSet ? this.#list() : [this.#value()])].sort((a, b) => (a < b ? -1 : 1));
    const faults = valueFaults(key, operator, values);
    if (faults.length > 0) throw unexpected(faults.length === 1 ? faults[0]! : `[${faults.join(", ")}]`);
    return { key, operator, values };
  }

  #operator(): Operator {
    const { isWord, text } = this.#next!;
    const isKnown = isWord ? text === "in" || text === "notin" : Object.hasOwn(COMPARISONS, text);
    if (!isKnown) throw unexpected(`found ${this.#shown}, expected: in, notin, =, ==, !=, gt, lt`);
    this.#at += 1;
    return isWord ? (text as Operator) : COMPARISONS[text]!;
  }

  #value(): string {
    if (this.#next === undefined || this.#is(",")) return "";
    if (!this.#next.isWord) throw unexpected(`found ${this.#shown}, expected: identifier`);
    return this.#take();
  }

  /** `(a, b)`; nothing between two commas is the empty value. */
  #list(): string[] {
    if (!this.#is("(")) throw unexpected(`found ${this.#shown} expected: '('`);
    this.#take();
    const values: string[] = [];
    if (this.#next?.isWord !== true && !this.#is(",") && !this.#is(")")) {
      throw unexpected(`found ${this.#shown}, expected: ',', ')' or identifier`);
    }
    for (;;) {
      values.push(this.#next?.isWord === true ? this.#take() : "");
      const isEnd = this.#is(")");
      if (!isEnd && !this.#is(",")) throw unexpected(`found ${this.#shown}, expected: ',' or ')'`);
      this.#take();
      if (isEnd) return values;
    }
  }
}

/**
 * Reads the text form of a label selector: `app=web,tier in (a,b),!old`. No text is no requirement.
 *
 * @throws ApiError BadRequest
 */
export const readRequirements = (text: string): Requirement[] => new Reader(text).all();
