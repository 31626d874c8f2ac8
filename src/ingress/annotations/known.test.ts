import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, said } from "./example.ts";
import { GROUPS, known } from "./known.ts";

/** All that the pages of ingress-nginx' last release, v1.15.1, describe. */
const DOCUMENTED = `
affinity affinity-canary-behavior affinity-mode allowlist-source-range app-root auth-always-set-cookie
auth-cache-duration auth-cache-key auth-keepalive auth-keepalive-requests auth-keepalive-share-vars
auth-keepalive-timeout auth-method auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers
auth-secret auth-secret-type auth-signin auth-signin-redirect-param auth-snippet auth-tls-error-page
auth-tls-match-cn auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client auth-tls-verify-depth
auth-type auth-url backend-protocol canary canary-by-cookie canary-by-header canary-by-header-pattern
canary-by-header-value canary-weight canary-weight-total client-body-buffer-size configuration-snippet
connection-proxy-header cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin
cors-expose-headers cors-max-age custom-headers custom-http-errors default-backend denylist-source-range
disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth enable-modsecurity
enable-opentelemetry enable-owasp-core-rules enable-rewrite-log fastcgi-index fastcgi-params-configmap
force-ssl-redirect from-to-www-redirect http2-push-preload limit-allowlist limit-burst-multiplier limit-connections
limit-rate limit-rate-after limit-rpm limit-rps limit-whitelist load-balance mirror-host mirror-request-body
mirror-target modsecurity-snippet modsecurity-transaction-id opentelemetry-operation-name
opentelemetry-trust-incoming-span permanent-redirect permanent-redirect-code preserve-trailing-slash proxy-body-size
proxy-buffer-size proxy-buffering proxy-buffers-number proxy-busy-buffers-size proxy-connect-timeout
proxy-cookie-domain proxy-cookie-path proxy-http-version proxy-max-temp-file-size proxy-next-upstream
proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout proxy-redirect-from proxy-redirect-to
proxy-request-buffering proxy-send-timeout proxy-ssl-ciphers proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret
proxy-ssl-server-name proxy-ssl-verify proxy-ssl-verify-depth relative-redirects rewrite-target satisfy server-alias
server-snippet service-upstream session-cookie-change-on-failure session-cookie-conditional-samesite-none
session-cookie-domain session-cookie-expires session-cookie-max-age session-cookie-name session-cookie-path
session-cookie-samesite session-cookie-secure ssl-ciphers ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
stream-snippet temporal-redirect temporal-redirect-code upstream-hash-by upstream-hash-by-subset
upstream-hash-by-subset-size upstream-vhost use-port-in-redirects use-regex whitelist-source-range
x-forwarded-prefix
`
  .trim()
  .split(/\s+/);

void test("every annotation that ingress-nginx documents is known, with a reader or a reason", () => {
  deepEqual(
    DOCUMENTED.filter((name) => known(name) === undefined),
    [],
  );
  equal(DOCUMENTED.length, 138);
  for (const group of GROUPS) {
    for (const { name, verdict, exceptions = {} } of group.annotations) {
      const isRead = group.read !== undefined;
      ok(isRead || verdict.served === "ignored" || verdict.served === "refused", name);
      for (const one of [verdict, ...Object.values(exceptions)]) {
        const words = "how" in one ? one.how : "why" in one ? one.why : "same";
        notEqual(words, "", name);
      }
    }
  }
});

/** That manifests still have, and ingress-nginx no longer reads. */
const FORMER = `
session-cookie-hash secure-backends grpc-backend secure-verify-ca-secret add-base-url base-url-scheme upstream-max-fails
upstream-fail-timeout global-rate-limit global-rate-limit-window global-rate-limit-key global-rate-limit-ignored-cidrs
enable-opentracing opentracing-operation-name opentracing-trust-incoming-span enable-influxdb influxdb-measurement
influxdb-port influxdb-host influxdb-server-name enable-dynamic-tls-records
`
  .trim()
  .split(/\s+/);

void test("names of earlier times are passed over without a fault", () => {
  for (const name of FORMER) deepEqual(faultsOf(said({ [name]: "x" })), [], name);
  const names = GROUPS.flatMap(({ annotations }) => annotations.map(({ name }) => name));
  deepEqual(
    names.filter((name) => !DOCUMENTED.includes(name)).toSorted(),
    [...FORMER, "balance", "kubernetes.io/ingress.allow-http"].toSorted(),
  );
});

void test("each name is in one group, once", () => {
  const names = GROUPS.flatMap(({ annotations }) => annotations.map(({ name }) => name));
  equal(new Set(names).size, names.length);
});

void test("a name that is not known is a fault that says which is nearest", () => {
  deepEqual(faultsOf(said({ afinity: "cookie", "fairlead.dev/rewrite-tarjet": "/", "zzz-yyy-xxx-www-vvv": "" })), [
    "afinity: there is no annotation nginx.ingress.kubernetes.io/afinity; did you mean affinity?; it is ignored",
    "zzz-yyy-xxx-www-vvv: there is no annotation nginx.ingress.kubernetes.io/zzz-yyy-xxx-www-vvv; it is ignored",
    "fairlead.dev/rewrite-tarjet: there is no annotation fairlead.dev/rewrite-tarjet; did you mean rewrite-target?; it is ignored",
  ]);
  deepEqual(faultsOf(said({ balance: "ewma" })), [
    "balance: there is no annotation nginx.ingress.kubernetes.io/balance; did you mean fairlead.dev/balance?; it is ignored",
  ]);
  equal(said({ balance: "ewma" }).backend.balance.algorithm, "round-robin");
});
