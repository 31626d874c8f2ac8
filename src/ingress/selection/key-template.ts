import type { RequestHead } from "../request.ts";
import { readCookies } from "../affinity/cookie.ts";

type Part = (request: RequestHead) => string;

const VARIABLES: Readonly<Record<string, Part>> = {
  remote_addr: ({ client }) => client,
  binary_remote_addr: ({ client }) => client,
  the_real_ip: ({ client }) => client,
  request_uri: ({ target }) => target,
  uri: ({ path }) => path,
  document_uri: ({ path }) => path,
  args: ({ query }) => query.slice(1),
  query_string: ({ query }) => query.slice(1),
  host: ({ host }) => host,
  http_host: ({ authority }) => authority,
  scheme: ({ scheme }) => scheme,
  request_method: ({ method }) => method,
  server_port: ({ port }) => String(port),
  request_id: ({ requestId }) => requestId,
};

/** Variables of which the end of the name is somebody's word. */
const FAMILIES: readonly (readonly [string, (name: string) => Part])[] = [
  ["http_", (name) => header(name.replaceAll("_", "-").toLowerCase())],
  ["cookie_", (name) => (request) => readCookies(request.headers.cookie, name)[0] ?? ""],
  ["arg_", (name) => (request) => argument(request.query, name.toLowerCase())],
];

const header =
  (name: string): Part =>
  ({ headers }) => {
    const value = headers[name];
    return typeof value === "string" ? value : (value?.join(", ") ?? "");
  };

/** The first of that name, as it came; names of whatever case, as in nginx. */
function argument(query: string, name: string): string {
  for (const pair of query.slice(1).split("&")) {
    const equals = pair.indexOf("=");
    if (equals === name.length && pair.slice(0, equals).toLowerCase() === name) return pair.slice(equals + 1);
  }
  return "";
}

function variable(name: string): Part | undefined {
  if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name];
  const [prefix, make] = FAMILIES.find(([prefix]) => name.startsWith(prefix)) ?? [];
  return prefix === undefined || make === undefined ? undefined : make(name.slice(prefix.length));
}

/**
 * What a template such as `$remote_addr$request_uri` or `${arg_user}-x` says of a request. The names are nginx's; of a variable that is not
 * known nothing is said, as of one that is empty.
 */
export function compileKey(template: string): (request: RequestHead) => string {
  const parts: Part[] = [];
  let end = 0;
  for (const found of template.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    const literal = template.slice(end, found.index);
    if (literal !== "") parts.push(() => literal);
    const part = variable(found[1] ?? found[2] ?? "");
    if (part !== undefined) parts.push(part);
    end = found.index + found[0].length;
  }
  const rest = template.slice(end);
  if (rest !== "") parts.push(() => rest);
  return (request) => {
    let key = "";
    for (const part of parts) key += part(request);
    return key;
  };
}
