const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON value as Go prints it (`%v`), because clients know some of upstream's messages by that: `map[ports:[map[port:80]]]`. */
export function goWords(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goWords).join(" ")}]`;
  if (!isObject(value)) return typeof value === "string" ? value : JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${goWords(value[key])}`).join(" ")}]`;
}

/** The name of a JSON value's type in Go. */
export function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : "<nil>";
}

/** A JSON value as Go would write it in a program (`%#v`). */
export function goLiteral(value: unknown): string {
  if (Array.isArray(value)) return `${goType(value)}{${value.map(goLiteral).join(", ")}}`;
  if (!isObject(value)) return value === null || value === undefined ? "interface {}(nil)" : JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${goLiteral(value[key])}`);
  return `${goType(value)}{${fields.join(", ")}}`;
}
