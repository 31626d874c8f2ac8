const UNRESERVED = /[A-Za-z0-9._~-]/;

/** Percent-encodings of letters, digits and `-._~` mean the same as what they encode (RFC 3986 §6.2.2.2). Others stay, in upper case. */
const decoded = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : whole.toUpperCase();
  });

/**
 * A path in the one spelling by which routes are found. Backends read `/public/../admin`, `//admin` and `/%61dmin` as `/admin`, so a route that
 * protects `/admin` has to see it in all of them. Dot segments go (RFC 3986 §5.2.4), slashes beside each other are one.
 */
export function canonicalPath(path: string): string {
  const isPlain = !path.includes("%") && !path.includes("/.") && !path.includes("//");
  if (isPlain) return path;
  const kept: string[] = [];
  const segments = decoded(path).split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const last = segments.at(-1)!;
  const isFolder = kept.length > 0 && (last === "" || last === "." || last === "..");
  return `/${kept.join("/")}${isFolder ? "/" : ""}`;
}
