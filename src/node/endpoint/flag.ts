/** A switch in a query, under any of its names and in any spelling that clients use: `1`, `true`. */
export const isSet = (query: URLSearchParams, ...names: readonly string[]): boolean =>
  names.some((name) => ["1", "true", "True", "TRUE", "t", "T"].includes(query.get(name) ?? ""));
