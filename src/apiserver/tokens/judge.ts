import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { nodes, pods, secrets, serviceAccounts } from "../../api/resources.ts";
import type { TokenVerdict } from "../identity/token-verdict.ts";
import { serviceAccountIdentity } from "../identity/service-account.ts";
import type { At } from "../write.ts";
import type { TokenAuthority } from "./authority.ts";
import { extraOf, LEEWAY, untimely, type Claims, type Reference } from "./claims.ts";
import type { LegacySubject } from "./legacy.ts";

/** An object as memory has it. */
export type Find = (resource: Resource, at: At) => KubeObject | undefined;

/** The label by which the token of a Secret is taken back without the Secret. */
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
const INVALIDATED = "service account token has been invalidated";

/** Go's `%q` of a list. */
const listed = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;

/** Why the object that a token names is not, or no longer, that object; undefined when it is. */
function whyGone(
  find: Find,
  resource: Resource,
  at: At,
  { uid }: Reference,
  deletedBefore: number,
): string | undefined {
  const found = find(resource, at);
  const what = `${resource.kind} ${at.namespace === undefined ? "" : `${at.namespace}/`}${at.name}`;
  if (found === undefined) return `${INVALIDATED}: ${what} is gone`;
  const { uid: current, deletionTimestamp } = found.metadata;
  if (current !== uid) return `${INVALIDATED}: ${what} is another one, with UID ${current ?? ""}`;
  if (deletionTimestamp === undefined || Date.parse(deletionTimestamp) >= deletedBefore) return undefined;
  return `${INVALIDATED}: ${what} is being deleted`;
}

/** All that a token is bound to must still be there. Objects on their way out serve for as long as clocks may differ. */
function whyUnbound({ namespace, account, pod, secret, node }: Claims, find: Find, nowMs: number): string | undefined {
  const before = nowMs - LEEWAY * 1000;
  const checks: [Resource, string | undefined, Reference | undefined][] = [
    [serviceAccounts, namespace, account],
    [secrets, namespace, secret],
    [pods, namespace, pod],
    // A pod's token only tells where the pod is.
    [nodes, undefined, pod === undefined ? node : undefined],
  ];
  for (const [resource, within, reference] of checks) {
    if (reference === undefined) continue;
    const why = whyGone(find, resource, { namespace: within, name: reference.name }, reference, before);
    if (why !== undefined) return why;
  }
  return undefined;
}

const isText = (base64: string | undefined, text: string): boolean => {
  const [kept, given] = [Buffer.from(base64 ?? "", "base64"), Buffer.from(text)];
  return kept.length === given.length && timingSafeEqual(kept, given);
};

/** The token of a Secret is good while it lies there, and its ServiceAccount is that of the day it was made. */
function whyNotInSecret({ namespace, account, secret }: LegacySubject, token: string, find: Find): string | undefined {
  const kept = find(secrets, { namespace, name: secret }) as Secret | undefined;
  if (kept === undefined || kept.metadata.deletionTimestamp !== undefined) return "Token has been invalidated";
  if (!isText(kept.data?.["token"], token)) return "Token does not match server's copy";
  const at = { namespace, name: account.name };
  const why = whyGone(find, serviceAccounts, at, account, Infinity);
  if (why !== undefined) return why;
  const since = kept.metadata.labels?.[INVALID_SINCE];
  if (since === undefined || since === "") return undefined;
  return `the token in secret ${namespace}/${secret} for service account ${namespace}/${account.name} has been marked invalid since ${since}`;
}

/** A verdict, and where the Secret lies whose token was used. */
export type JudgedToken = TokenVerdict & { readonly secret?: At };

/**
 * Whom a ServiceAccount's token speaks for, when it is for one of the audiences asked for. Undefined for a token that is no
 * ServiceAccount's. Everything is answered from memory, at every request: a token dies with the object it is bound to.
 */
export function judgeServiceAccountToken(
  token: string,
  audiences: readonly string[],
  authority: TokenAuthority,
  find: Find,
  nowMs: number,
): JudgedToken | undefined {
  const read = authority.read(token);
  if (read === undefined) return undefined;
  if (read.kind === "bad") return { refused: read.why };
  const own = read.kind === "legacy" ? authority.audiences : read.claims.audiences;
  const shared = audiences.filter((audience) => own.includes(audience));
  if (shared.length === 0) {
    return { refused: `token audiences ${listed(own)} is invalid for the target audiences ${listed(audiences)}` };
  }
  if (read.kind === "legacy") {
    const { namespace, account, secret } = read.subject;
    const why = whyNotInSecret(read.subject, token, find);
    if (why !== undefined) return { refused: why };
    const identity = serviceAccountIdentity({ namespace, ...account });
    return { identity, audiences: shared, secret: { namespace, name: secret } };
  }
  const { claims } = read;
  const why = untimely(claims, Math.floor(nowMs / 1000)) ?? whyUnbound(claims, find, nowMs);
  if (why !== undefined) return { refused: why };
  const { namespace, account } = claims;
  return { identity: serviceAccountIdentity({ namespace, ...account }, extraOf(claims)), audiences: shared };
}
