import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { AddressSet } from "../../../../net/address-set.ts";
import { canonicalPath } from "../../../heads/canonical-path.ts";
import { climbs } from "../../../heads/climbs.ts";
import { originOf, type Origin } from "../../../heads/origin.ts";
import { requestIdOf } from "../../../heads/request-id.ts";
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
const TARGET = /^\/[!"$-~\u0080-\u00ff]*$/;
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

/** A request that is understood. */
export interface Understood {
  readonly head: RequestHead;
  readonly origin: Origin;
}

export interface HeadGround {
  readonly trust: AddressSet;
  readonly random: () => number;
}

/** The head of a request of either protocol, or a sentence why it is none. */
export function readHead(
  request: IncomingMessage | Http2ServerRequest,
  arrival: Arrival,
  ground: HeadGround,
): Understood | string {
  const isSecond = request.httpVersionMajor === 2;
  const method = request.method ?? "GET";
  const target = request.url ?? "";
  if (isSecond) {
    const headers = withoutPseudo(request.headers);
    return composed(
      method,
      target,
      "HTTP/2.0",
      headers,
      request.headers[":authority"] as string | undefined,
      arrival,
      ground,
    );
  }
  if (hasTwoHosts(request.rawHeaders)) return "there is more than one Host";
  const protocol = request.httpVersionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1";
  return composed(method, target, protocol, request.headers, undefined, arrival, ground);
}

/** The head of an extended CONNECT (RFC 8441): what it would be as an Upgrade of HTTP/1.1. */
export function readConnectHead(came: IncomingHttpHeaders, arrival: Arrival, ground: HeadGround): Understood | string {
  const target = (came[":path"] as string | undefined) ?? "";
  const authority = came[":authority"] as string | undefined;
  return composed("GET", target, "HTTP/2.0", withoutPseudo(came), authority, arrival, ground);
}

function composed(
  method: string,
  target: string,
  protocol: RequestHead["protocol"],
  headers: IncomingHttpHeaders,
  said: string | undefined,
  arrival: Arrival,
  { trust, random }: HeadGround,
): Understood | string {
  const destination = destinationOf(target, protocol, headers.host, said);
  if (typeof destination === "string") return destination;
  const { host, authority, target: path } = destination;
  const question = path.indexOf("?");
  const plain = question < 0 ? path : path.slice(0, question);
  if (climbs(plain)) return "the path leads out of itself by ..";
  const origin = originOf(arrival, headers, trust);
  const head: RequestHead = {
    method,
    target: path,
    path: canonicalPath(plain),
    query: question < 0 ? "" : path.slice(question),
    host,
    authority: origin.authority ?? authority,
    scheme: origin.scheme,
    protocol,
    headers,
    client: origin.client,
    port: origin.port,
    requestId: requestIdOf(headers, random),
  };
  return { head, origin };
}
