import { usernameOf } from "../identity/service-account.ts";
import { signToken } from "./jws.ts";
import { readSigningKey } from "./keys.ts";

/** The issuer of tokens that lie in Secrets; they name no audience and never expire. */
export const LEGACY_ISSUER = "kubernetes/serviceaccount";

const NAMESPACE = "kubernetes.io/serviceaccount/namespace";
const SECRET_NAME = "kubernetes.io/serviceaccount/secret.name";
const ACCOUNT_NAME = "kubernetes.io/serviceaccount/service-account.name";
const ACCOUNT_UID = "kubernetes.io/serviceaccount/service-account.uid";

/** Whom a token in a Secret speaks for, and in which Secret it lies. */
export interface LegacySubject {
  readonly namespace: string;
  readonly account: { readonly name: string; readonly uid: string };
  readonly secret: string;
}

/** What makes the tokens for Secrets of type `kubernetes.io/service-account-token`, by a private key (PEM). */
export function legacySigner(signingKey: string): (subject: LegacySubject) => string {
  const key = readSigningKey(signingKey);
  return ({ namespace, account, secret }) =>
    signToken(
      {
        iss: LEGACY_ISSUER,
        [NAMESPACE]: namespace,
        [SECRET_NAME]: secret,
        [ACCOUNT_NAME]: account.name,
        [ACCOUNT_UID]: account.uid,
        sub: usernameOf({ namespace, name: account.name }),
      },
      key,
    );
}

/** Reads the verified claims of such a token; undefined when one is missing or contradicts another. */
export function readLegacyClaims(claims: Readonly<Record<string, unknown>>): LegacySubject | undefined {
  const [namespace, secret, name, uid] = [NAMESPACE, SECRET_NAME, ACCOUNT_NAME, ACCOUNT_UID].map((claim) => {
    const value = claims[claim];
    return typeof value === "string" ? value : "";
  }) as [string, string, string, string];
  if (namespace === "" || secret === "" || name === "" || uid === "") return undefined;
  if (claims["sub"] !== usernameOf({ namespace, name })) return undefined;
  return { namespace, account: { name, uid }, secret };
}
