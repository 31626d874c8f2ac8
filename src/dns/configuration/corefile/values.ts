import { parseDuration } from "../../../api/duration.ts";
import type { HttpAddress } from "../configuration.ts";
import type { Line, Word } from "./blocks.ts";
import { faultAt, quoted } from "./fault.ts";

/** Refuses a line with too few or too many words. `form`: how it should be, e.g. `ttl SECONDS`. */
export function expectArgs(line: Line, form: string, least: number, most = least): void {
  if (line.args.length < least || line.args.length > most) {
    const there = line.args.length === 0 ? "nothing" : line.args.map(({ text }) => quoted(text)).join(" ");
    throw faultAt(line, `${line.name}: ${there} follows; it should be: ${form}`);
  }
}

/** Refuses braces behind a line that takes none. */
export function expectNoBody(line: Line): void {
  const first = line.body[0];
  if (first !== undefined) throw faultAt(first, `${line.name}: ${quoted(first.name)}: nothing in braces is known here`);
}

/** An unknown line in the braces of a directive. */
export const unknownOption = (directive: string, line: Line, known: readonly string[]): Error =>
  faultAt(line, `${directive}: there is no option ${quoted(line.name)}; there are ${known.join(", ")}`);

/** A whole number. */
export function numberOf(line: Line, word: Word, from: number, to: number, what: string): number {
  const value = Number(word.text);
  if (!/^\d+$/.test(word.text) || value < from || value > to) {
    const range = to === Number.MAX_SAFE_INTEGER ? `of ${from} or more` : `from ${from} to ${to}`;
    throw faultAt(word, `${line.name}: ${quoted(word.text)} is not ${what}, a whole number ${range}`);
  }
  return value;
}

/** A duration in milliseconds, as Go writes it; not negative. */
export function durationOf(line: Line, word: Word, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = parseDuration(word.text);
  if (value === undefined || value < least || value > most) {
    const bound =
      value === undefined || value < 0
        ? ""
        : value < least
          ? ` of ${least / 1000}s or more`
          : ` of ${most / 1000}s or less`;
    throw faultAt(word, `${line.name}: ${quoted(word.text)} is not a duration${bound} such as 500ms, 30s or 1h`);
  }
  return value;
}

/** One of several words. */
export function oneOf<Choice extends string>(line: Line, word: Word, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === word.text);
  if (found === undefined)
    throw faultAt(word, `${line.name}: ${quoted(word.text)} is not one of ${choices.join(", ")}`);
  return found;
}

/** `HOST:PORT`, `:PORT` or `[HOST]:PORT`. */
export function httpAddressOf(line: Line, word: Word): HttpAddress {
  const [, six, host, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/i.exec(word.text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) {
    throw faultAt(word, `${line.name}: ${quoted(word.text)} is not [HOST]:PORT, such as :8080 or 127.0.0.1:8080`);
  }
  return { host: six ?? host ?? "", port };
}
