/** Variables of a key that HAProxy knows too, as it writes them. */
const VARIABLES: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^(?:binary_)?remote_addr$/, () => "%[src]"],
  [/^request_uri$/, () => "%[pathq]"],
  [/^uri$/, () => "%[path]"],
  [/^args$|^query_string$/, () => "%[query]"],
  [/^host$/, () => "%[var(txn.host)]"],
  [/^http_([a-z0-9_]+)$/, (name) => `%[req.hdr(${name.replaceAll("_", "-")})]`],
  [/^cookie_([A-Za-z0-9_-]+)$/, (name) => `%[req.cook(${name})]`],
  [/^arg_([A-Za-z0-9_-]+)$/, (name) => `%[url_param(${name})]`],
];

const PART = /\$\{?([A-Za-z0-9_]+)\}?|([A-Za-z0-9_.:/|-]+)/y;

/** A key such as `$remote_addr$request_uri` as a format of HAProxy's; undefined where something in it is not known. */
export function hashKeyFormat(key: string): string | undefined {
  let format = "";
  PART.lastIndex = 0;
  while (PART.lastIndex < key.length) {
    const [, variable, text] = PART.exec(key) ?? [];
    if (text !== undefined) format += text;
    else {
      const known = VARIABLES.find(([pattern]) => variable !== undefined && pattern.test(variable));
      if (known === undefined) return undefined;
      format += known[1](known[0].exec(variable!)?.[1] ?? "");
    }
  }
  return format === "" ? undefined : format;
}

export const isHashKey = (key: string): boolean => hashKeyFormat(key) !== undefined;
