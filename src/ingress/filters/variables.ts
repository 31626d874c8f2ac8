import type { RoutePlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";
import { encodedBytes } from "./encoded.ts";
import { requestedAuthority, requestedHost, requestedTarget } from "./requested.ts";

/** A text with values of a request put in. */
export type Template = (request: RequestHead) => string;

type Value = (request: RequestHead, route: RoutePlan) => string;

const authority: Value = (request) => requestedAuthority(request) ?? "";
const scheme: Value = ({ scheme }) => scheme;
const query: Value = ({ query }) => encodedBytes(query.slice(1));

/** `namespace/service:port` and what follows it. */
const backendOf = (route: RoutePlan): RegExpExecArray | null => /^[^/]*\/([^:]*):([^ ;,|]*)/.exec(route.backend ?? "");

/** Variables of nginx that users of ingress-nginx write into annotations. */
const VALUES: Readonly<Record<string, Value>> = {
  host: (request) => requestedHost(request) ?? "",
  http_host: authority,
  best_http_host: authority,
  scheme,
  pass_access_scheme: scheme,
  request_uri: requestedTarget,
  escaped_request_uri: (request) => encodeURIComponent(requestedTarget(request)),
  uri: ({ path }) => encodedBytes(path),
  args: query,
  query_string: query,
  is_args: (request) => (request.query.length > 1 ? "?" : ""),
  request_method: ({ method }) => method,
  remote_addr: ({ client }) => client,
  the_real_ip: ({ client }) => client,
  server_port: ({ port }) => String(port),
  req_id: ({ requestId }) => requestId,
  request_id: ({ requestId }) => requestId,
  namespace: (_, route) => route.ingress.namespace,
  ingress_name: (_, route) => route.ingress.name,
  service_name: (_, route) => backendOf(route)?.[1] ?? "",
  service_port: (_, route) => backendOf(route)?.[2] ?? "",
};

const headerValue = (name: string, fit: (value: string) => string): Value => {
  const header = name.slice("http_".length).replaceAll("_", "-");
  return (request) => {
    const value = request.headers[header];
    return fit(Array.isArray(value) ? value.join(", ") : (value ?? ""));
  };
};

const withoutControls = (value: string): string => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, "");

const valueOf = (name: string, fit: (value: string) => string): Value | undefined =>
  Object.hasOwn(VALUES, name) ? VALUES[name] : name.startsWith("http_") ? headerValue(name, fit) : undefined;

/** Compiles a URL, or a part of one, with `$name` or `${name}` in it. A name that nobody knows stays as it is written. What is put in is encoded. */
export const template = (text: string, route: RoutePlan): Template => compiled(text, route, encodedBytes);

/** The same for the value of a header: headers of the request are put in as they came. */
export const headerTemplate = (text: string, route: RoutePlan): Template => compiled(text, route, withoutControls);

function compiled(text: string, route: RoutePlan, fit: (value: string) => string): Template {
  const pieces: (string | Value)[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$(?:\{([a-z_]+)\}|([a-z_]+))/g)) {
    const value = valueOf(match[1] ?? match[2]!, fit);
    if (value === undefined) continue;
    pieces.push(text.slice(end, match.index), value);
    end = match.index + match[0].length;
  }
  if (end === 0) return () => text;
  pieces.push(text.slice(end));
  return (request) => {
    let result = "";
    for (const piece of pieces) result += typeof piece === "string" ? piece : piece(request, route);
    return result;
  };
}
