import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { RequestHead } from "../../../request.ts";
import type { Arrival } from "../handler.ts";

/** What of a request line and its headers says where it is to go. */
export interface Destination {
  readonly target: string;
  readonly host: string;
  readonly authority: string;
}

/** `*.` is no name that can be asked for; underscores are, in names of old. */
const NAME = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?$/;
const IPV6 = /^\[[0-9a-f:.]+\]$/;
const PORT = /^[0-9]{0,5}$/;
/** RFC 9112 §3.2; what is above ASCII is passed as it came, as servers do. */
const TARGET = /^\/[^\u0000-\u0020#\u007f\u0100-\uffff]*$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^]*)$/i;

/** Lower case, without port and without the dot of the root. Undefined: no host. */
export function hostOf(authority: string): string | undefined {
  const colon = authority.endsWith("]") ? -1 : authority.lastIndexOf(":");
  if (colon >= 0 && !PORT.test(authority.slice(colon + 1))) return undefined;
  let name = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  if (name.endsWith(".")) name = name.slice(0, -1);
  return NAME.test(name) || IPV6.test(name) ? name : undefined;
}

/**
 * Where a request wants to go, or a sentence why that cannot be said.
 *
 * @param authority of HTTP/2 (`:authority`), where there is one
 */
export function destinationOf(
  target: string,
  protocol: RequestHead["protocol"],
  hostHeader: string | undefined,
  authority: string | undefined,
): Destination | string {
  let path = target;
  let said = authority ?? hostHeader;
  if (authority !== undefined && hostHeader !== undefined && hostOf(authority) !== hostOf(hostHeader)) {
    return "Host and :authority differ";
  }
  if (!target.startsWith("/")) {
    const absolute = ABSOLUTE.exec(target);
    if (absolute === null) return "the target is neither a path nor a URL of http or https";
    const [, named = "", rest = ""] = absolute;
    if (said !== undefined && hostOf(said) !== hostOf(named)) return "Host and the URL differ";
    said = named;
    path = rest.startsWith("/") ? rest : `/${rest}`;
  }
  if (!TARGET.test(path)) return "the target has characters that must be escaped";
  if (said === undefined || said === "") {
    return protocol === "HTTP/1.0" ? { target: path, host: "", authority: "" } : "a Host is missing";
  }
  const host = hostOf(said);
  return host === undefined ? "Host is no name or address" : { target: path, host, authority: said };
}

/** RFC 9112 §3.2: more than one Host is refused; Node keeps the first and forgets the others. */
function hasTwoHosts(raw: readonly string[]): boolean {
  let isFound = false;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!;
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (isFound) return true;
    isFound = true;
  }
  return false;
}

function withoutPseudo(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const plain: IncomingHttpHeaders = {};
  for (const name in headers) if (!name.startsWith(":")) plain[name] = headers[name];
  return plain;
}

/** Who asks, as far as the connection says it. */
export interface Origin {
  readonly client: string;
  readonly scheme: "http" | "https";
}

const originOf = (arrival: Arrival): Origin => ({ client: arrival.client, scheme: arrival.tls ? "https" : "http" });

/** The head of a request of either protocol, or a sentence why it is none. */
export function readHead(
  request: IncomingMessage | Http2ServerRequest,
  arrival: Arrival,
  newId: () => string,
): RequestHead | string {
  const isSecond = request.httpVersionMajor === 2;
  const protocol = isSecond ? "HTTP/2.0" : request.httpVersionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1";
  if (!isSecond && hasTwoHosts(request.rawHeaders)) return "there is more than one Host";
  const authority = isSecond ? (request.headers[":authority"] as string | undefined) : undefined;
  return composeHead({
    method: request.method ?? "GET",
    target: request.url ?? "",
    protocol,
    headers: isSecond ? withoutPseudo(request.headers) : (request.headers as IncomingHttpHeaders),
    authority,
    arrival,
    newId,
  });
}

/** The head of an extended CONNECT (RFC 8441): what it would be as an Upgrade of HTTP/1.1. */
export function readConnectHead(
  headers: IncomingHttpHeaders,
  arrival: Arrival,
  newId: () => string,
): RequestHead | string {
  return composeHead({
    method: "GET",
    target: (headers[":path"] as string | undefined) ?? "",
    protocol: "HTTP/2.0",
    headers: withoutPseudo(headers),
    authority: headers[":authority"] as string | undefined,
    arrival,
    newId,
  });
}

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly protocol: RequestHead["protocol"];
  readonly headers: IncomingHttpHeaders;
  readonly authority: string | undefined;
  readonly arrival: Arrival;
  readonly newId: () => string;
}

function composeHead({ method, target, protocol, headers, authority, arrival, newId }: Parts): RequestHead | string {
  const destination = destinationOf(target, protocol, headers.host, authority);
  if (typeof destination === "string") return destination;
  const question = destination.target.indexOf("?");
  const origin = originOf(arrival);
  const said = headers["x-request-id"];
  return {
    method,
    target: destination.target,
    path: question < 0 ? destination.target : destination.target.slice(0, question),
    query: question < 0 ? "" : destination.target.slice(question),
    host: destination.host,
    authority: destination.authority,
    scheme: origin.scheme,
    protocol,
    headers,
    client: origin.client,
    port: arrival.port,
    requestId: typeof said === "string" && said !== "" ? said : newId(),
  };
}
