/** True for a path in which a percent sign begins no escape (RFC 3986, section 2.1). */
export const hasBrokenEscape = (path: string): boolean => /%(?![\da-f]{2})/i.test(path);

/** A path without its escapes. Bytes that are no UTF-8 become replacement signs. */
export function decodedPath(path: string): string {
  if (!path.includes("%")) return path;
  const bytes = path.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/**
 * The words between the slashes of a path, decoded first as upstream does, so that `%2F` is a slash like any other; slashes at the end mean
 * nothing. What is judged and what is served is read from the same words.
 */
export function segmentsOf(path: string): string[] {
  const segments = decodedPath(path).split("/").slice(1);
  while (segments.at(-1) === "") segments.pop();
  return segments;
}
