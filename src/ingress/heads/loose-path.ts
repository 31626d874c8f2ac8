/**
 * What some server reads in a way of its own: escapes, path parameters, backslashes, letters of either case, dots and blanks at an end. In the
 * syntax that JavaScript and PCRE have in common.
 */
export const READ_DIFFERENTLY = /[^!-~]|[%;\\A-Z]|\.(?:[/]|$)/;

/** Encodings of encodings: nobody undoes more. */
const MOST_ROUNDS = 3;

const ofHex = (_: string, unicode: string | undefined, byte: string | undefined): string =>
  String.fromCharCode(Number.parseInt(unicode ?? byte ?? "0", 16));

/** ASCII in more bytes than UTF-8 has for it (RFC 3629 §3 forbids it; some decode it). */
const ofOverlong = (some: string): string =>
  String.fromCharCode(((some.charCodeAt(some.length - 2) & 0x3f) << 6) | (some.charCodeAt(some.length - 1) & 0x3f));

const decoded = (text: string): string =>
  text
    .replaceAll(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi, ofHex)
    .replaceAll(/(?:[\xc0\xc1]|\xe0[\x80\x81])[\x80-\xbf]/g, ofOverlong);

/** Without the dots and blanks at its end, which Windows does not see. */
function trimmed(segment: string, isLeft: (code: number) => boolean): string {
  let end = segment.length;
  while (end > 0 && isLeft(segment.charCodeAt(end - 1))) end -= 1;
  return segment.slice(0, end);
}

const isBlank = (code: number): boolean => code <= 0x20;
const isDot = (code: number): boolean => code === 0x2e || isBlank(code);

/**
 * A path as the most lenient of servers reads it: everything decoded, `\` for `/`, without path parameters (`;jsessionid=…`), cut off where C ends
 * a text, in lower case. No server reads all of it so; each piece of it some server does.
 *
 * @param path in its one spelling, or as it came
 */
export function loosePath(path: string): string {
  if (!READ_DIFFERENTLY.test(path) && !path.includes("//") && !path.includes("/.")) return path;
  let text = path;
  for (let round = 0; round < MOST_ROUNDS && /[%\xc0\xc1\xe0]/.test(text); round += 1) text = decoded(text);
  const kept: string[] = [];
  // What ends a path where it is read once more.
  const [before = ""] = text.split(/[\0?#]/, 1);
  const segments = before.replaceAll("\\", "/").split("/");
  let last = "";
  for (const segment of segments) {
    const [name = ""] = segment.split(";", 1);
    const bare = trimmed(name, isBlank);
    last = bare === ".." ? "" : trimmed(bare, isDot);
    if (bare === "..") kept.pop();
    else if (last !== "") kept.push(last);
  }
  return `/${kept.join("/")}${last === "" && kept.length > 0 ? "/" : ""}`.toLowerCase();
}
