import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Headers about one connection, which do not go on to the next (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** What names the client to the API server, and is nobody else's. */
const isOurs = (name: string): boolean => name === "authorization" || name.startsWith("impersonate-");

const named = (connection: string | string[] | undefined): Set<string> =>
  new Set([connection ?? ""].flat().flatMap((line) => line.split(",").map((word) => word.trim().toLowerCase())));

/** The headers that go on, without those of HTTP/2's own and those that `connection` names. */
export function onwardHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const dropped = named(headers.connection);
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) =>
        value !== undefined && !name.startsWith(":") && !HOP_BY_HOP.has(name) && !dropped.has(name) && !isOurs(name),
    ),
  );
}
