import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { OutgoingHead, RequestHead, ResponseHead } from "../request.ts";
import { endsHere, namedByConnection } from "./connection.ts";
import type { Origin } from "./origin.ts";

/** How a request goes on. */
export interface Going {
  /** What the connection is to become, where it is to: `websocket`. */
  readonly upgrade?: string;
  /** The backend may answer with trailers, and wants to know that they are taken: gRPC. */
  readonly trailers?: boolean;
}

/**
 * Requests alone: what we answer ourselves (Expect), what cannot be sent on (Trailer), what servers mistake for configuration (Proxy:
 * CVE-2016-5385), and what is set anew below.
 */
const OURS: ReadonlySet<string> = new Set([
  "host",
  "expect",
  "trailer",
  "proxy",
  "x-real-ip",
  "x-request-id",
  "x-scheme",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-original-forwarded-for",
]);

/** What only somebody trusted may say. Backends take it for the word of whoever is in front of them. */
const isClaim = (name: string): boolean =>
  name === "forwarded" || name.startsWith("x-forwarded-") || name.startsWith("ssl-client-");

/** Many servers hand headers to programs with `_` for `-`: one with `_` would pass for another that we vouch for. */
const hasUnderscore = (name: string): boolean => name.includes("_");

/** Headers of a request that are meant for whoever answers it, as they came. */
export function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = namedByConnection(headers.connection);
  const kept: OutgoingHttpHeaders = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !endsHere(name, named) && !hasUnderscore(name)) kept[name] = value;
  }
  return kept;
}

const joined = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(", ") : value;

/** What is sent to an endpoint for a request, before the settings of its route have their say. */
export function outgoingHead(request: RequestHead, origin: Origin, going: Going = {}): OutgoingHead {
  const { headers: came } = request;
  const { peer, isTrusted, client, scheme, port } = origin;
  const authority = origin.authority ?? request.authority;
  const named = namedByConnection(came.connection);
  const headers: OutgoingHttpHeaders = { host: authority };
  for (const name in came) {
    const value = came[name];
    if (value === undefined || OURS.has(name) || endsHere(name, named) || hasUnderscore(name)) continue;
    if (!isTrusted && isClaim(name)) continue;
    headers[name] = value;
  }
  const said = joined(came["x-forwarded-for"]);
  headers["x-request-id"] = request.requestId;
  headers["x-real-ip"] = client;
  headers["x-forwarded-for"] = isTrusted && said !== undefined && said !== "" ? `${said}, ${peer}` : peer;
  headers["x-forwarded-host"] = authority;
  headers["x-forwarded-port"] = String(port);
  headers["x-forwarded-proto"] = scheme;
  headers["x-forwarded-scheme"] = scheme;
  headers["x-scheme"] = scheme;
  if (said !== undefined) headers["x-original-forwarded-for"] = said;
  if (going.trailers === true) headers["te"] = "trailers";
  if (going.upgrade !== undefined) {
    headers["connection"] = "upgrade";
    headers["upgrade"] = going.upgrade;
  }
  return { target: request.target, headers };
}

/** Headers of an endpoint's answer, as an HTTP client hands them out: names in lower case, characters up to 255. */
export type EndpointHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** For servers in front, not for clients. */
const isForUs = (name: string): boolean => name.startsWith("x-accel-") || name === "__proto__";

/** What is sent to the client of an endpoint's answer, before the settings of its route have their say. */
export function responseHead(status: number, came: EndpointHeaders, requestId: string): ResponseHead {
  const connection = came["connection"];
  const named = namedByConnection(connection);
  const headers: OutgoingHttpHeaders = {};
  for (const name in came) {
    const value = came[name];
    if (value === undefined || endsHere(name, named) || isForUs(name)) continue;
    headers[name] = value;
  }
  headers["x-request-id"] ??= requestId;
  return { status, headers };
}
