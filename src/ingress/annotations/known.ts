import { nearest } from "../../api/nearest.ts";
import { accessLog } from "./groups/access-log.ts";
import { affinity } from "./groups/affinity.ts";
import { alias } from "./groups/alias.ts";
import { backendProtocol } from "./groups/backend-protocol.ts";
import { balance } from "./groups/balance.ts";
import { basicAuth } from "./groups/basic-auth.ts";
import { body } from "./groups/body.ts";
import { canary } from "./groups/canary.ts";
import { clientCertificates } from "./groups/client-certificates.ts";
import { cookies } from "./groups/cookies.ts";
import { cors } from "./groups/cors.ts";
import { errorPages } from "./groups/error-pages.ts";
import { externalAuth } from "./groups/external-auth.ts";
import { formerNames } from "./groups/former.ts";
import { headers } from "./groups/headers.ts";
import { mirror } from "./groups/mirror.ts";
import { modsecurity } from "./groups/modsecurity.ts";
import { rateLimit } from "./groups/rate-limit.ts";
import { redirect } from "./groups/redirect.ts";
import { retry } from "./groups/retry.ts";
import { rewrite } from "./groups/rewrite.ts";
import { satisfy } from "./groups/satisfy.ts";
import { snippets } from "./groups/snippets.ts";
import { sources } from "./groups/sources.ts";
import { timeouts } from "./groups/timeouts.ts";
import { tlsRedirect } from "./groups/tls-redirect.ts";
import { upstream } from "./groups/upstream.ts";
import type { AnnotationGroup, KnownAnnotation } from "./group.ts";

/** In the order of the page that lists them; what is read does not depend on it. */
export const GROUPS: readonly AnnotationGroup[] = [
  affinity,
  canary,
  balance,
  rewrite,
  redirect,
  tlsRedirect,
  alias,
  sources,
  basicAuth,
  externalAuth,
  clientCertificates,
  satisfy,
  rateLimit,
  cors,
  backendProtocol,
  upstream,
  timeouts,
  retry,
  body,
  headers,
  cookies,
  errorPages,
  mirror,
  accessLog,
  modsecurity,
  snippets,
  formerNames,
];

const byName: ReadonlyMap<string, { readonly group: AnnotationGroup; readonly annotation: KnownAnnotation }> = new Map(
  GROUPS.flatMap((group) => group.annotations.map((annotation) => [annotation.name, { group, annotation }] as const)),
);

/** What is known of a name, be it after a prefix or a whole key. */
export const known = (
  name: string,
): { readonly group: AnnotationGroup; readonly annotation: KnownAnnotation } | undefined => byName.get(name);

/** The known name most like one that is not. */
export const nearestName = (name: string): string | undefined =>
  nearest(
    name,
    [...byName.keys()].filter((one) => !one.includes("/")),
  );
