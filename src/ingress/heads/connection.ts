/**
 * Headers that are of one connection and end with it (RFC 9110 §7.6.1), besides those that Connection names. Proxy-Authenticate and
 * Proxy-Authorization are for a proxy that the client has chosen, which we are not.
 */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** They say where a message goes and where it ends: naming them in Connection does not take them away. */
const KEPT: ReadonlySet<string> = new Set(["host", "content-length"]);

const NONE: ReadonlySet<string> = new Set();

type Value = string | readonly string[] | number | undefined;

/** Names in `Connection`, lower case, that are to be taken away. */
export function namedByConnection(value: Value): ReadonlySet<string> {
  if (value === undefined || value === "keep-alive" || value === "close") return NONE;
  const named = new Set<string>();
  for (const part of String(value).split(",")) {
    const name = part.trim().toLowerCase();
    if (name !== "" && !KEPT.has(name)) named.add(name);
  }
  return named;
}

/** Whether a header ends with the connection that it came by. Pseudo-headers of HTTP/2 do. */
export const endsHere = (name: string, named: ReadonlySet<string>): boolean =>
  OF_CONNECTION.has(name) || named.has(name) || name.charCodeAt(0) === 58;

/** What a client wants to change its connection into: `websocket`; undefined for nothing, and for HTTP/2, which is agreed on by TLS or known before. */
export function upgradeOf(headers: { readonly connection?: string; readonly upgrade?: string }): string | undefined {
  const { upgrade } = headers;
  if (upgrade === undefined || !namedByConnection(headers.connection).has("upgrade")) return undefined;
  return /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\/[!#$%&'*+.^_`|~0-9a-z-]+)?$/i.test(upgrade) && !/^h2c?$/i.test(upgrade)
    ? upgrade
    : undefined;
}
