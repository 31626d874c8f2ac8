import { faultAt, type Place } from "./fault.ts";

/** A word, or a brace that stands alone. */
export interface Token extends Place {
  readonly text: string;
  /** True for the first of its line. */
  readonly startsLine: boolean;
  /** A word in quotes is never a brace. */
  readonly isQuoted: boolean;
}

/** As long as a ConfigMap may be, and then some. */
const LONGEST = 2 << 20;

export const isBrace = (token: Token | undefined, brace: "{" | "}"): boolean =>
  token !== undefined && !token.isQuoted && token.text === brace;

/**
 * The words of a Corefile. Words end at white space; one that begins with `"` ends at the next `"` that no `\` stands before, and may hold
 * anything. `#` begins a comment, wherever it stands outside quotes. Throws CorefileError for quotes that never end.
 */
export function tokensOf(text: string, file: string): Token[] {
  if (text.length > LONGEST)
    throw faultAt({ file, line: 1 }, `it has ${text.length} characters; at most ${LONGEST} are read`);
  const tokens: Token[] = [];
  let line = 1;
  let startsLine = true;
  let at = text.codePointAt(0) === 0xfeff ? 1 : 0;
  const add = (word: string, from: number, isQuoted: boolean): void => {
    tokens.push({ text: word, file, line: from, startsLine, isQuoted });
    startsLine = false;
  };
  while (at < text.length) {
    const letter = text[at]!;
    if (letter === "\n") {
      line += 1;
      startsLine = true;
      at += 1;
    } else if (/\s/.test(letter)) {
      at += 1;
    } else if (letter === "#") {
      while (at < text.length && text[at] !== "\n") at += 1;
    } else if (letter === '"') {
      const from = line;
      let word = "";
      at += 1;
      while (text[at] !== '"') {
        if (at >= text.length) throw faultAt({ file, line: from }, 'a " begins here, and no other one ends it');
        if (text[at] === "\\" && text[at + 1] === '"') at += 1;
        if (text[at] === "\n") line += 1;
        word += text[at]!;
        at += 1;
      }
      at += 1;
      add(word, from, true);
    } else {
      const from = at;
      while (at < text.length && !/[\s#]/.test(text[at]!)) at += 1;
      add(text.slice(from, at), line, false);
    }
  }
  return tokens;
}
