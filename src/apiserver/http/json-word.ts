/** What a parsed JSON value is called by the parser whose words clients of upstream know. */
export function jsonWord(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
