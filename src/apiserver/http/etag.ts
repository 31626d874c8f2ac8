/** Whether an `If-None-Match` header names this tag, or any at all (RFC 9110, 13.1.2). */
export function hasEtag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header
    .split(",")
    .map((one) => one.trim().replace(/^W\//, ""))
    .some((one) => one === "*" || one === `"${tag}"`);
}
