/** Names of nginx' variables in a text, `$host` and `${host}` alike, in the order they stand. */
const variablesOf = (text: string): string[] =>
  [...text.matchAll(/\$(?:\{([^}]*)\}|(\w*))/g)].map(([, braced, bare]) => braced ?? bare ?? "");

/** Those of a text that are not known here; a known one that ends in `_` stands for all that begin so. */
export const unknownVariables = (text: string, known: readonly string[]): string[] =>
  variablesOf(text).filter(
    (name) =>
      !known.some((one) => (one.endsWith("_") ? name.startsWith(one) && name.length > one.length : one === name)),
  );

/** What may stand in URLs and names of hosts. */
export const REQUEST_VARIABLES: readonly string[] = [
  "host",
  "http_host",
  "best_http_host",
  "scheme",
  "pass_access_scheme",
  "request_uri",
  "escaped_request_uri",
  "uri",
  "args",
  "query_string",
  "is_args",
  "request_method",
  "remote_addr",
  "the_real_ip",
  "server_port",
  "req_id",
  "request_id",
  "namespace",
  "ingress_name",
  "service_name",
  "service_port",
  "http_",
];

/** What endpoints may be chosen by. */
export const KEY_VARIABLES: readonly string[] = [
  "remote_addr",
  "binary_remote_addr",
  "the_real_ip",
  "request_uri",
  "uri",
  "document_uri",
  "args",
  "query_string",
  "host",
  "http_host",
  "scheme",
  "request_method",
  "server_port",
  "request_id",
  "http_",
  "cookie_",
  "arg_",
];

/** `https://…` with or without variables of nginx in it: whether it is an absolute URL for HTTP. */
export function isHttpUrl(text: string): boolean {
  const plain = text
    .replace(/^\$(?:(?:pass_access_)?scheme\b|\{(?:pass_access_)?scheme\})/, "https")
    // These begin with a slash of their own: `http://m.example:8080$request_uri`.
    .replaceAll(/\$(?:\{(?:request_)?uri\}|(?:request_)?uri\b)/g, "/x")
    .replaceAll(/\$(?:\{\w+\}|\w+)/g, "x");
  if (!/^https?:\/\/[^/?#\s]/i.test(plain) || /\s/.test(plain)) return false;
  return URL.canParse(plain);
}
