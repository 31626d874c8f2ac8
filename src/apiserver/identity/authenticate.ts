import type { IncomingHttpHeaders } from "node:http";
import type { TLSSocket } from "node:tls";
import { ApiError } from "../../api/status.ts";
import { bearerTokens } from "./bearer.ts";
import { certificateIdentity } from "./certificate.ts";
import { ANONYMOUS, type Identity } from "./identity.ts";
import type { TokenVerdict } from "./token-verdict.ts";

/** Who a bearer token speaks for; undefined for a token that this judge does not know. */
export type TokenAuthenticator = (token: string) => Identity | undefined | Promise<Identity | undefined>;

/** What a request says about who makes it. */
export interface Credentials {
  readonly socket: TLSSocket;
  readonly headers: IncomingHttpHeaders;
  /** Sentences for the client. */
  readonly warnings: Set<string>;
}

const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

/**
 * Says who asks: by the client certificate, else by a bearer token. One that is good is enough, whatever else is sent; one that is
 * bad is refused, and nothing at all is anonymous.
 *
 * @throws ApiError Unauthorized
 */
export async function authenticate(
  { socket, headers, warnings }: Credentials,
  judge: (token: string) => Promise<TokenVerdict>,
  nowMs: number,
): Promise<Identity> {
  const certified = certificateIdentity(socket, nowMs);
  if (typeof certified === "object") return certified;
  const tokens = bearerTokens(headers, warnings);
  for (const token of tokens) {
    const verdict = await judge(token);
    if ("identity" in verdict) return verdict.identity;
  }
  if (tokens.length > 0 || certified === "refused") throw unauthorized();
  return ANONYMOUS;
}
