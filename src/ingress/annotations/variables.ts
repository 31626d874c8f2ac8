/** Names of nginx' variables in a text, `$host` and `${host}` alike, in the order they stand. */
const variablesOf = (text: string): string[] =>
  [...text.matchAll(/\$(?:\{([^}]*)\}|(\w*))/g)].map(([, braced, bare]) => braced ?? bare ?? "");

/** Those of a text that are not known here; a known one that ends in `_` stands for all that begin so. */
export const unknownVariables = (text: string, known: readonly string[]): string[] =>
  variablesOf(text).filter(
    (name) =>
      !known.some((one) => (one.endsWith("_") ? name.startsWith(one) && name.length > one.length : one === name)),
  );

/** Of one request, as far as its head tells them. */
export const REQUEST_VARIABLES: readonly string[] = [
  "host",
  "http_host",
  "scheme",
  "request_uri",
  "escaped_request_uri",
  "uri",
  "args",
  "query_string",
  "request_method",
  "remote_addr",
  "request_id",
  "server_port",
  "arg_",
  "cookie_",
  "http_",
];

/** `https://…` with or without variables of nginx in it: whether it is an absolute URL for HTTP. */
export function isHttpUrl(text: string): boolean {
  const plain = text.replace(/^\$(?:scheme\b|\{scheme\})/, "https").replaceAll(/\$(?:\{\w+\}|\w+)/g, "x");
  if (!/^https?:\/\/[^/?#\s]/i.test(plain) || /\s/.test(plain)) return false;
  return URL.canParse(plain);
}
