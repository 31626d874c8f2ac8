/** A UTF-16 unit's place in UTF-8 order: surrogates stand for code points above U+FFFF, so they come after U+E000 … U+FFFF. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);

/** Orders keys by their UTF-8 bytes, as SQLite and etcd do (JavaScript's `<` goes by UTF-16 units). */
export const compareKeys = (a: string, b: string): number => {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
};

/** The smallest key above every key that starts with `prefix`; `undefined` when there is none (as for the empty prefix). */
export const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
};

/** The smallest key above `key`. */
export const nextKey = (key: string): string => `${key}\0`;
