import type { Context } from "../context.ts";
import { methodNotAllowed } from "../errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { startAnswer } from "../http/respond.ts";
import type { TokenAuthority } from "../tokens/authority.ts";

/** Others may keep the answer for an hour: a new key should be believed that long before it signs. */
const CACHE = "public, max-age=3600";

/** The keys by which tokens are believed, as a JSON Web Key Set (RFC 7517, section 5). */
const keySet = ({ keys }: TokenAuthority): object => ({
  keys: keys.map(({ id, algorithm, key }) => {
    const { kty, ...numbers } = key.export({ format: "jwk" });
    return { use: "sig", kty, kid: id, alg: algorithm, ...numbers };
  }),
});

/** The provider's metadata (OpenID Connect Discovery 1.0, section 3), as far as there is something behind it. */
const configuration = ({ issuer, jwksUri, keys }: TokenAuthority): object => ({
  issuer,
  jwks_uri: jwksUri,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
});

const DOCUMENTS: Readonly<Record<string, { type: string; document: (authority: TokenAuthority) => object }>> = {
  "/openid/v1/jwks": { type: "application/jwk-set+json", document: keySet },
  "/.well-known/openid-configuration": { type: "application/json", document: configuration },
};

/** Says by which keys ServiceAccounts' tokens can be verified elsewhere. False when the path is none of these. */
export async function sendOpenId(context: Context, exchange: Exchange): Promise<boolean> {
  const path = exchange.path.replace(/\/$/, "");
  const found = Object.hasOwn(DOCUMENTS, path) ? DOCUMENTS[path] : undefined;
  if (found === undefined) return false;
  if (exchange.method !== "GET") throw methodNotAllowed();
  startAnswer(exchange, 200, found.type);
  exchange.answer.setHeader("cache-control", CACHE);
  exchange.answer.end(JSON.stringify(found.document(context.tokens)));
  return true;
}
