import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../../api/status.ts";

/** Browsers cannot set headers of WebSockets: there the token is a subprotocol, base64url behind this. */
export const BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

const IGNORED = "the provided Authorization header contains extra space before the bearer token, and is ignored";

/** The token of an `Authorization` header (RFC 6750, section 2.1); other schemes are none of ours and say nothing. */
function inAuthorization(header: string | undefined, warnings: Set<string>): string | undefined {
  const [scheme = "", token, ...rest] = (header ?? "").trim().split(" ");
  if (scheme.toLowerCase() !== "bearer" || token === undefined) return undefined;
  if (token !== "") return token;
  if (rest.length > 0) warnings.add(IGNORED);
  return undefined;
}

const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

/** The token among the subprotocols that a WebSocket offers; there must be another one, to be answered with. */
function inSubprotocols(header: string | undefined): string | undefined {
  const offered = (header ?? "").split(",").map((protocol) => protocol.trim());
  const [said, ...more] = offered.filter((protocol) => protocol.startsWith(BEARER_PROTOCOL));
  if (said === undefined) return undefined;
  const text = said.slice(BEARER_PROTOCOL.length);
  const bytes = Buffer.from(text, "base64url");
  const token = bytes.toString("utf8");
  const isCanonical = bytes.toString("base64url") === text && Buffer.from(token).equals(bytes);
  if (more.length > 0 || !isCanonical || offered.length === 1) throw unauthorized();
  return token === "" ? undefined : token;
}

const isWebSocket = ({ upgrade, connection }: IncomingHttpHeaders): boolean =>
  upgrade?.toLowerCase() === "websocket" && /(^|[\s,])upgrade([\s,]|$)/i.test(connection ?? "");

/**
 * The bearer tokens of a request, in the order they are tried.
 *
 * @throws ApiError Unauthorized for a token that is offered as a subprotocol in a wrong way
 */
export function bearerTokens(headers: IncomingHttpHeaders, warnings: Set<string>): string[] {
  const tokens = [
    inAuthorization(headers.authorization, warnings),
    isWebSocket(headers) ? inSubprotocols(headers["sec-websocket-protocol"]) : undefined,
  ];
  return tokens.filter((token) => token !== undefined);
}
