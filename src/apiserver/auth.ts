import type { TLSSocket } from "node:tls";
import { ApiError } from "../api/status.ts";

/** Who asks. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
}

export const ANONYMOUS: Identity = { user: "system:anonymous", groups: ["system:unauthenticated"] };

/** What may be asked without saying who one is. */
const OPEN_PATHS = /^\/(healthz|livez|readyz|version)(\/|$)/;

const certified = new WeakMap<object, Identity | "unknown" | "none">();

/** The name in a client certificate: CN is the user, each O a group (the Kubernetes rule for X.509 clients). */
function certificateIdentity(socket: TLSSocket): Identity | "unknown" | "none" {
  const certificate = socket.getPeerCertificate();
  if (certificate === undefined || certificate === null || Object.keys(certificate).length === 0) return "none";
  if (!socket.authorized) return "unknown";
  const user = [certificate.subject.CN ?? ""].flat()[0] ?? "";
  const groups = [certificate.subject.O ?? []].flat().filter((group) => group !== "");
  return user === "" ? "unknown" : { user, groups: [...groups, "system:authenticated"] };
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
  tokens: ((token: string) => Identity | undefined | Promise<Identity | undefined>) | undefined,
): Promise<Identity> {
  const bearer = /^bearer +(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  if (bearer !== undefined) {
    const identity = await tokens?.(bearer);
    if (identity === undefined) throw unauthorized();
    return identity;
  }
  let found = certified.get(socket);
  if (found === undefined) {
    found = certificateIdentity(socket);
    certified.set(socket, found);
  }
  if (found === "unknown") throw unauthorized();
  return found === "none" ? ANONYMOUS : found;
}

/** Everybody known may do everything; the unknown may see health and version. @throws ApiError Forbidden */
export function authorize(identity: Identity, method: string, path: string): void {
  if (identity !== ANONYMOUS || OPEN_PATHS.test(path)) return;
  throw new ApiError("Forbidden", `forbidden: User "${identity.user}" cannot ${method.toLowerCase()} path "${path}"`);
}
