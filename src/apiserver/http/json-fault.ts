/** Signs of a text that are looked through for a literal that breaks off. */
const MAXIMUM_SEARCHED = 64 * 1024;

const END = "unexpected end of JSON input";

/** What V8 says of a text that is no JSON → what Go says, after the sign that is wrong. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Expected property name|^Expected double-quoted property name/, "looking for beginning of object key string"],
  [/^Expected ':' after property name/, "after object key"],
  [/^Expected ',' or '\}'/, "after object key:value pair"],
  [/^Expected ',' or ']'/, "after array element"],
  [/^Unexpected non-whitespace character/, "after top-level value"],
  [/^Bad control character in string literal/, "in string literal"],
  [/^Bad escaped character/, "in string escape code"],
  [/^Bad Unicode escape/, "in \\u hexadecimal character escape"],
  [/^No number after minus sign/, "in numeric literal"],
  [/^Exponent part is missing a number/, "in exponent of numeric literal"],
  [/^Unterminated fractional number/, "after decimal point in numeric literal"],
];

/** `true`, `false` and `null` are read sign by sign: where one is not the next, it is said which was expected. */
function literalFault(sign: string, text: string): string | undefined {
  for (const found of text.matchAll(/(?<=^|[\s:,[])(?:t|tr|tru|f|fa|fal|fals|n|nu|nul)(?=.)/g)) {
    const read = found[0];
    if (text[found.index + read.length] !== sign) continue;
    const literal = ["true", "false", "null"].find((one) => one.startsWith(read))!;
    return `in literal ${literal} (expecting '${literal[read.length]}')`;
  }
  return undefined;
}

/** Why a text is no JSON, in the words of Go's parser, which clients of upstream know. */
export function jsonFault(error: unknown, text: string): string {
  const said = error instanceof Error ? error.message : String(error);
  if (/^Unexpected end|^Unterminated string/.test(said)) return END;
  const position = /at position (\d+)/.exec(said);
  const sign = position === null ? /^Unexpected token '(.+?)',/s.exec(said)?.[1] : text[Number(position[1])];
  if (sign === undefined) return END;
  const shown = sign === "'" ? `'\\''` : sign === '"' ? `'"'` : `'${JSON.stringify(sign).slice(1, -1)}'`;
  const where =
    WORDS.find(([pattern]) => pattern.test(said))?.[1] ??
    literalFault(sign, text.slice(0, MAXIMUM_SEARCHED)) ??
    "looking for beginning of value";
  return `invalid character ${shown} ${where}`;
}
