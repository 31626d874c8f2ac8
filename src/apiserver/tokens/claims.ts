import type { Identity } from "../identity/identity.ts";
import { usernameOf } from "../identity/service-account.ts";

/** Seconds by which clocks may differ. */
export const LEEWAY = 60;
/** What the token's own number is called among the facts about a user; `JTI=` says that it is a token's. */
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

/** An object as a token names it: its name alone would also be that of its successor. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** Whom a token speaks for, and which object it goes with. */
export interface Subject {
  readonly namespace: string;
  readonly account: Reference;
  readonly pod?: Reference;
  readonly secret?: Reference;
  /** The object the token goes with, or only the place of its pod: then the Node may be unknown, and its uid `""`. */
  readonly node?: Reference;
}

export interface ClaimsToMake extends Subject {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly now: number;
  readonly lifetime: number;
  /** Seconds after which the token should have been replaced, although it still serves. */
  readonly warnAfter?: number;
  readonly id: string;
}

const written = ({ name, uid }: Reference): object => ({ name, ...(uid === "" ? {} : { uid }) });

/** The claims of a token as Kubernetes writes them (RFC 7519; private ones under `kubernetes.io`), in its order. */
export function makeClaims(said: ClaimsToMake): object {
  const { namespace, account, pod, secret, node, now } = said;
  return {
    aud: said.audiences,
    exp: now + said.lifetime,
    iat: now,
    iss: said.issuer,
    jti: said.id,
    "kubernetes.io": {
      namespace,
      ...(node === undefined ? {} : { node: written(node) }),
      ...(pod === undefined ? {} : { pod: written(pod) }),
      ...(secret === undefined ? {} : { secret: written(secret) }),
      serviceaccount: written(account),
      ...(said.warnAfter === undefined ? {} : { warnafter: now + said.warnAfter }),
    },
    nbf: now,
    sub: usernameOf({ namespace, name: account.name }),
  };
}

/** The claims of a token whose signature is good. */
export interface Claims extends Subject {
  readonly audiences: readonly string[];
  readonly expires: number;
  readonly notBefore: number;
  readonly issuedAt: number;
  /** `""` when it has none. */
  readonly id: string;
}

type Json = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const asTime = (value: unknown): number | undefined =>
  typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : undefined;

/** `aud`: one text or a list of texts (RFC 7519, section 4.1.3). */
function asAudiences(value: unknown): readonly string[] | undefined {
  const all = typeof value === "string" ? [value] : value;
  return Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === "string") ? all : undefined;
}

/** Absent is fine; anything but an object with a name, and a uid where one is needed, makes the whole token void. */
function asReference(value: unknown, uidNeeded = true): Reference | "void" | undefined {
  if (value === undefined) return undefined;
  const { name, uid = "", ...others } = asObject(value) ?? {};
  const isRead = typeof name === "string" && name !== "" && typeof uid === "string" && Object.keys(others).length === 0;
  return isRead && (uid !== "" || !uidNeeded) ? { name, uid } : "void";
}

/** Reads verified claims; undefined when one is missing, of a wrong type, or contradicts another. */
export function readClaims(claims: Json): Claims | undefined {
  const own = asObject(claims["kubernetes.io"]);
  const namespace = asText(own?.["namespace"]);
  const audiences = asAudiences(claims["aud"]);
  const expires = asTime(claims["exp"]);
  const issuedAt = asTime(claims["iat"]);
  const notBefore = asTime(claims["nbf"]);
  const id = claims["jti"] === undefined ? "" : asText(claims["jti"]);
  if (namespace === undefined || audiences === undefined || id === undefined) return undefined;
  if (expires === undefined || issuedAt === undefined || notBefore === undefined) return undefined;
  const account = asReference(own?.["serviceaccount"]);
  const pod = asReference(own?.["pod"]);
  const secret = asReference(own?.["secret"]);
  const node = asReference(own?.["node"], pod === undefined);
  if (account === undefined || account === "void" || pod === "void" || secret === "void" || node === "void") {
    return undefined;
  }
  if (claims["sub"] !== usernameOf({ namespace, name: account.name })) return undefined;
  return {
    namespace,
    account,
    ...(pod === undefined ? {} : { pod }),
    ...(secret === undefined ? {} : { secret }),
    ...(node === undefined ? {} : { node }),
    audiences,
    expires,
    issuedAt,
    notBefore,
    id,
  };
}

/** Why a token does not serve at this time (seconds since the epoch); undefined while it does. */
export function untimely(
  { expires, notBefore, issuedAt }: Pick<Claims, "expires" | "notBefore" | "issuedAt">,
  now: number,
): string | undefined {
  if (now + LEEWAY < notBefore) return "service account token is not valid yet";
  if (now - LEEWAY > expires) return "service account token has expired";
  return now + LEEWAY < issuedAt ? "service account token is issued in the future" : undefined;
}

/** More facts about a user that a token tells: its number, its pod, its node. */
export function extraOf({ id, pod, node }: Claims): Identity["extra"] {
  const name = "authentication.kubernetes.io";
  const extra = {
    ...(id === "" ? {} : { [CREDENTIAL_ID]: [`JTI=${id}`] }),
    ...(node === undefined ? {} : { [`${name}/node-name`]: [node.name] }),
    ...(node === undefined || node.uid === "" ? {} : { [`${name}/node-uid`]: [node.uid] }),
    ...(pod === undefined ? {} : { [`${name}/pod-name`]: [pod.name], [`${name}/pod-uid`]: [pod.uid] }),
  };
  return Object.keys(extra).length === 0 ? undefined : extra;
}
