const other = (letter: string): string => {
  const lower = letter.toLowerCase();
  return lower === letter ? letter.toUpperCase() : lower;
};
const isLetter = (character: string): boolean => /^[A-Za-z]$/.test(character);

/** What a range of characters has of the letters between two, in the other case. */
function othersOf(from: string, to: string, first: string, last: string): string {
  const low = from > first ? from : first;
  const high = to < last ? to : last;
  return low <= high ? `${other(low)}-${other(high)}` : "";
}

const ITEM = /(\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|c[A-Za-z]|[^])|[^])(?:-(?!\])([^\\[]))?/g;

const inClass = (inside: string): string =>
  inside.replaceAll(ITEM, (all: string, from: string, to: string | undefined) => {
    if (from.length > 1) return all;
    if (to !== undefined) return `${all}${othersOf(from, to, "a", "z")}${othersOf(from, to, "A", "Z")}`;
    return isLetter(from) ? `${from}${other(from)}` : all;
  });

const TOKEN =
  /\(\?<(?![=!])[^>]*>|\\k<[^>]*>|\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|c[A-Za-z]|[pP]\{[^}]*\}|[^])|\[(\^?)((?:\\[^]|[^\]\\])*)\]|[A-Za-z]/g;

/**
 * An expression that matches without the flag `i` what this one matches with it; undefined where that cannot be written, as for letters beyond ASCII.
 */
export function anyCase(source: string): string | undefined {
  // Characters by their numbers, groups with flags of their own and references look at cases in ways of their own.
  if (/[^\x20-\x7e]|\\[xukc1-9]|\(\?[a-z-]/.test(source)) return undefined;
  return source.replaceAll(TOKEN, (all: string, not: string | undefined, inside: string | undefined) => {
    if (inside !== undefined) return `[${not ?? ""}${inClass(inside)}]`;
    return isLetter(all) ? `[${all}${other(all)}]` : all;
  });
}
