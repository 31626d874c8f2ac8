import type { TLSSocket } from "node:tls";
import { ApiError } from "../../api/status.ts";
import { ANONYMOUS, AUTHENTICATED, type Identity } from "./identity.ts";

/** Who a bearer token speaks for; undefined for a token that this judge does not know. */
export type TokenAuthenticator = (token: string) => Identity | undefined | Promise<Identity | undefined>;

const certified = new WeakMap<object, Identity | "unknown" | "none">();

/** The name in a client certificate: CN is the user, each O a group (the Kubernetes rule for X.509 clients). */
function certificateIdentity(socket: TLSSocket): Identity | "unknown" | "none" {
  const certificate = socket.getPeerCertificate();
  if (certificate === undefined || certificate === null || Object.keys(certificate).length === 0) return "none";
  if (!socket.authorized) return "unknown";
  const user = [certificate.subject.CN ?? ""].flat()[0] ?? "";
  const groups = [certificate.subject.O ?? []].flat().filter((group) => group !== "");
  return user === "" ? "unknown" : { user, groups: [...groups, AUTHENTICATED] };
}

const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

/**
 * Says who asks, from the client certificate or the bearer token. Nothing given is anonymous; a certificate of another
 * authority or an unknown token is refused.
 *
 * @throws ApiError Unauthorized
 */
export async function authenticate(
  socket: TLSSocket,
  authorization: string | undefined,
  tokens: readonly TokenAuthenticator[],
): Promise<Identity> {
  const bearer = /^bearer +(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  if (bearer !== undefined) {
    for (const judge of tokens) {
      const identity = await judge(bearer);
      if (identity !== undefined) return identity;
    }
    throw unauthorized();
  }
  let found = certified.get(socket);
  if (found === undefined) {
    found = certificateIdentity(socket);
    certified.set(socket, found);
  }
  if (found === "unknown") throw unauthorized();
  return found === "none" ? ANONYMOUS : found;
}
