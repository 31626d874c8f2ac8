import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, said, type Around } from "./example.ts";

const AROUND: Around = {
  secrets: {
    users: { auth: "ana:{PLAIN}a" },
    "no-key": { other: "x" },
    unusable: { auth: "ana:in the clear\nbo:{PLAIN}b" },
    "all-unusable": { auth: "ana:in the clear" },
    broken: { auth: "ana\n:x\nbo:\n" },
    "tls-half": { "tls.crt": "CRT" },
    "no-ca": { "tls.crt": "CRT", "tls.key": "KEY" },
  },
  configMaps: { "no-name": { "X A": "1" }, "no-value": { "X-A": "1\r\nX-B: 2" } },
};

/** What is said, and what is told of it; the usual is taken. */
const WRONG: readonly [said: Readonly<Record<string, string>>, told: RegExp][] = [
  [{ affinity: "ip" }, /^affinity: "ip" is not one of cookie; it is ignored$/],
  [
    { affinity: "cookie", "affinity-mode": "sticky" },
    /^affinity-mode: .* one of balanced, persistent; balanced is taken$/,
  ],
  [{ affinity: "cookie", "session-cookie-name": "a b" }, /^session-cookie-name: "a b" is not the name of a cookie/],
  [
    { affinity: "cookie", "session-cookie-max-age": "1h" },
    /^session-cookie-max-age: "1h" is not a number of seconds of at least 0, without a unit/,
  ],
  [{ affinity: "cookie", "session-cookie-max-age": "-1" }, /^session-cookie-max-age: "-1" is not/],
  [{ affinity: "cookie", "session-cookie-path": "/;x" }, /^session-cookie-path: .* is not the path of a cookie/],
  [
    { affinity: "cookie", "session-cookie-secure": "yes" },
    /^session-cookie-secure: "yes" is not "true" or "false"; it is ignored$/,
  ],
  [{ affinity: "cookie", "session-cookie-samesite": "no" }, /^session-cookie-samesite: .*None, Lax, Strict/],
  [{ "canary-weight": "10" }, /^canary-weight: without canary: "true" this is no canary; it is ignored$/],
  [
    { canary: "true", "canary-weight": "110" },
    /^canary-weight: "110" is not a weight of at most 100.*; all requests are meant$/,
  ],
  [{ canary: "true", "canary-by-header-value": "x" }, /^canary-by-header-value: without canary-by-header/],
  [
    { canary: "true", "canary-by-header": "x", "canary-by-header-pattern": "(" },
    /^canary-by-header-pattern: .*is not an expression \(.*; no request matches it$/,
  ],
  [
    { "load-balance": "least_conn" },
    /^load-balance: "least_conn" is not one of round_robin, ewma; round_robin is taken$/,
  ],
  [
    { "upstream-hash-by": "$geoip_city" },
    /^upstream-hash-by: .*without the variable \$geoip_city; endpoints are taken in turn$/,
  ],
  [{ "rewrite-target": "/$uri" }, /^rewrite-target: .* is not a path with at most \$1/],
  [{ "app-root": "//evil.example" }, /^app-root: .* is not a path that begins with one \//],
  [{ "app-root": "https://evil.example" }, /^app-root: /],
  [
    { "permanent-redirect": "/here" },
    /^permanent-redirect: "\/here" is not an absolute URL of http or https; nothing is redirected$/,
  ],
  [
    { "permanent-redirect": "https://a.example/$geoip_city" },
    /^permanent-redirect: .*without the variable \$geoip_city/,
  ],
  [
    { "temporal-redirect": "https://a.example", "temporal-redirect-code": "200" },
    /^temporal-redirect-code: "200" is not a status of a redirect from 300 to 307/,
  ],
  [{ "ssl-redirect": "off" }, /^ssl-redirect: "off" is not "true" or "false"; true is taken$/],
  [
    { "server-alias": "~^www\\d+\\.a\\.example$, b.example" },
    /^server-alias: .* not an expression; these are left out$/,
  ],
  [
    { "enable-cors": "true", "cors-allow-origin": "a.example" },
    /^cors-allow-origin: "a.example": an origin is .*; no origin is allowed$/,
  ],
  [{ "enable-cors": "true", "cors-allow-methods": "GET;POST" }, /^cors-allow-methods: /],
  [{ "limit-rps": "many" }, /^limit-rps: "many" is not a number of requests a second of at least 0/],
  [
    { "limit-rps": "1", "limit-allowlist": "all" },
    /^limit-allowlist: "all": each must be an address or a range.*bounded as all others$/,
  ],
  [{ "backend-protocol": "SPDY" }, /^backend-protocol: "SPDY" is not one of HTTP, HTTPS, GRPC, GRPCS; HTTP is taken$/],
  [{ "upstream-vhost": "a b" }, /^upstream-vhost: "a b" is not the name of a host/],
  [{ "upstream-vhost": "$geoip_city" }, /^upstream-vhost: .*without the variable \$geoip_city/],
  [
    { "proxy-read-timeout": "60s" },
    /^proxy-read-timeout: "60s" is not a number of seconds from 1 to 2000000, without a unit; 60 is taken$/,
  ],
  [{ "proxy-connect-timeout": "0" }, /^proxy-connect-timeout: "0" is not/],
  [
    { "proxy-next-upstream": "error, timeout" },
    /^proxy-next-upstream: .*\("error," is none\); error timeout is taken$/,
  ],
  [{ "proxy-next-upstream-tries": "x" }, /^proxy-next-upstream-tries: .*; 3 is taken$/],
  [{ "proxy-body-size": "8 MB" }, /^proxy-body-size: "8 MB" is not a size such as 1000, 100k, 8m or 1g/],
  [{ "proxy-cookie-path": "/one" }, /^proxy-cookie-path: .* two words; cookies stay as they are$/],
  [{ "proxy-redirect-from": "/a" }, /^proxy-redirect-from: .* go together; Location stays as it is$/],
  [{ "proxy-redirect-to": "/a" }, /^proxy-redirect-to: .* go together/],
  [{ "custom-http-errors": "200,404" }, /^custom-http-errors: .*\("200" is none\); it is left out$/],
  [{ "default-backend": "a/b" }, /^default-backend: "a\/b" is not the name of a Service/],
  [{ "mirror-target": "m.example" }, /^mirror-target: .* absolute URL/],
  [{ "auth-signin": "https://a.example" }, /^auth-signin: without auth-url there is nobody to ask; it is ignored$/],
  [
    { "auth-url": "https://a.example", "auth-signin": "/in" },
    /^auth-signin: .*; clients without leave are answered 401$/,
  ],
  [{ "auth-secret": "unusable" }, /^auth-secret: ana: the hash is of no kind .*; this user cannot log in$/],
  [{ "stream-snippet": "server {}" }, /^stream-snippet: connections that are not HTTP are not carried/],
  [
    { "configuration-snippet": 'more_set_headers "X: y";' },
    /^configuration-snippet: .*the route is served without it$/,
  ],
];

for (const [annotations, told] of WRONG) {
  void test(`told, and served: ${JSON.stringify(annotations)}`, () => {
    const read = said(annotations, AROUND);
    equal(read.settings.refused, undefined);
    equal(faultsOf(read).length, 1);
    match(faultsOf(read)[0]!, told);
  });
}

/** What protects a route, or may, and cannot be done: it is closed, and the reason told. */
const CLOSED: readonly [said: Readonly<Record<string, string>>, told: RegExp][] = [
  [
    { "whitelist-source-range": "10.0.0.0/33" },
    /^whitelist-source-range: "10.0.0.0\/33": each must be an address or a range/,
  ],
  [{ "allowlist-source-range": "10.0.0.0/8, office" }, /^allowlist-source-range: "office": each must be/],
  [{ "allowlist-source-range": "" }, /^allowlist-source-range: it is there, but names no address/],
  [{ "denylist-source-range": "x" }, /^denylist-source-range: "x"/],
  [{ "auth-type": "digest", "auth-secret": "users" }, /^auth-type: digest authentication cannot be done/],
  [{ "auth-type": "basci", "auth-secret": "users" }, /^auth-type: "basci" is not basic/],
  [{ "auth-type": "basic" }, /^auth-type: auth-secret does not say which Secret/],
  [{ "auth-type": "basic", "auth-secret": "nobody" }, /^auth-secret: there is no Secret shop\/nobody/],
  [
    { "auth-type": "basic", "auth-secret": "other/users" },
    /^auth-secret: Secret other\/users is in another namespace.*"shop"/,
  ],
  [{ "auth-type": "basic", "auth-secret": "a/b/c" }, /^auth-secret: "a\/b\/c" is not the name of a Secret/],
  [{ "auth-type": "basic", "auth-secret": "no-key" }, /^auth-secret: Secret no-key has no key auth/],
  [{ "auth-type": "basic", "auth-secret": "broken" }, /auth-secret: Secret broken has no user/],
  [
    { "auth-type": "basic", "auth-secret": "users", "auth-secret-type": "file" },
    /^auth-secret-type: "file" is not auth-file or auth-map/,
  ],
  [{ "auth-secret": "all-unusable" }, /^auth-secret: Secret all-unusable has no user with a hash that can be checked/],
  [{ "auth-url": "auth.example" }, /^auth-url: "auth.example": it must be an absolute URL/],
  [{ "auth-url": "https://a.example/$geoip_city" }, /^auth-url: .*the variable \$geoip_city is not known/],
  [{ "auth-url": "https://a.example", "auth-method": "ASK" }, /^auth-method: "ASK" is not one of/],
  [
    { "auth-url": "https://a.example", "auth-response-headers": "X User" },
    /^auth-response-headers: "X User" is not the name/,
  ],
  [
    { "auth-url": "https://a.example", "auth-proxy-set-headers": "nobody" },
    /^auth-proxy-set-headers: there is no ConfigMap shop\/nobody/,
  ],
  [
    { "auth-url": "https://a.example", "auth-snippet": "proxy_set_header X y;" },
    /^auth-snippet: configuration of nginx cannot be done/,
  ],
  [{ "auth-tls-secret": "shop/ca" }, /^auth-tls-secret: clients' certificates are not asked for/],
  [{ "auth-tls-verify-client": "optional" }, /^auth-tls-verify-client: /],
  [{ "auth-tls-match-cn": "CN=a" }, /^auth-tls-match-cn: /],
  [{ "enable-modsecurity": "true" }, /^enable-modsecurity: there is no ModSecurity here/],
  [{ "enable-owasp-core-rules": "maybe" }, /enable-owasp-core-rules: there is no ModSecurity here/],
  [{ "modsecurity-snippet": "SecRuleEngine On" }, /^modsecurity-snippet: /],
  [{ "ssl-passthrough": "true" }, /^ssl-passthrough: TLS is ended here/],
  [{ "backend-protocol": "FCGI" }, /^backend-protocol: FCGI is not spoken/],
  [{ "backend-protocol": "HTTPS", "proxy-ssl-verify": "on" }, /^proxy-ssl-verify: there is nothing to verify by/],
  [
    { "backend-protocol": "HTTPS", "proxy-ssl-verify": "on", "proxy-ssl-secret": "no-ca" },
    /^proxy-ssl-verify: there is nothing/,
  ],
  [{ "backend-protocol": "HTTPS", "proxy-ssl-secret": "nobody" }, /^proxy-ssl-secret: there is no Secret shop\/nobody/],
  [{ "backend-protocol": "HTTPS", "proxy-ssl-secret": "tls-half" }, /^proxy-ssl-secret: the Secret must have both/],
  [{ "custom-headers": "nobody" }, /^custom-headers: there is no ConfigMap shop\/nobody/],
  [{ "custom-headers": "other/headers" }, /^custom-headers: ConfigMap other\/headers is in another namespace/],
  [{ "custom-headers": "no-name" }, /^custom-headers: ConfigMap no-name: key "X A" cannot be sent as a header/],
  [{ "custom-headers": "no-value" }, /^custom-headers: ConfigMap no-value: the value of X-A cannot be sent/],
  [{ "configuration-snippet": "deny all;" }, /^configuration-snippet: .*its "deny" may be what keeps somebody out/],
  [{ "server-snippet": "location /admin { return 403; }" }, /^server-snippet: .*"location"/],
];

for (const [annotations, told] of CLOSED) {
  void test(`told, and answered 503: ${JSON.stringify(annotations)}`, () => {
    const read = said(annotations, AROUND);
    const last = faultsOf(read).at(-1)!;
    match(last, told);
    match(last, /; requests are answered 503$/);
    match(read.settings.refused!, /^nginx\.ingress\.kubernetes\.io\/[\w-]+: /);
  });
}

void test("what is switched off by its own annotation closes nothing", () => {
  for (const annotations of [
    { "auth-tls-secret": "shop/ca", "auth-tls-verify-client": "off" },
    { "auth-tls-pass-certificate-to-upstream": "false" },
    { "enable-modsecurity": "false", "enable-owasp-core-rules": "true", "modsecurity-snippet": "SecRuleEngine On" },
    { "enable-owasp-core-rules": "false" },
    { "ssl-passthrough": "false" },
    { "configuration-snippet": "", "server-snippet": "# nothing\n" },
  ]) {
    equal(said(annotations, AROUND).settings.refused, undefined, JSON.stringify(annotations));
  }
});

void test("CORS: of a list the wrong origins are left out, and where none is right nobody is let in", () => {
  const { settings } = said({ "enable-cors": "true", "cors-allow-origin": "a.example,https://b.example" });
  deepEqual(settings.cors?.origins, ["https://b.example"]);
  deepEqual(said({ "enable-cors": "true", "cors-allow-origin": "a.example" }).settings.cors?.origins, []);
});

void test("CTL-158: without session-cookie-path, where paths are expressions, there is a fault", () => {
  const paths = ["/shop(/|$)(.*)"];
  for (const annotations of [{ "use-regex": "true" }, { "rewrite-target": "/$2" }]) {
    const read = said({ affinity: "cookie", ...annotations }, { paths });
    match(faultsOf(read).join(), /^session-cookie-path: paths of this Ingress are expressions/);
    equal(read.affinity?.path, undefined);
    deepEqual(faultsOf(said({ affinity: "cookie", "session-cookie-path": "/shop", ...annotations }, { paths })), []);
  }
  deepEqual(faultsOf(said({ affinity: "cookie", "rewrite-target": "/" }, { paths: ["/shop"] })), []);
});

void test("a canary need not say that the paths of its main Ingress are expressions, nor what the path of a cookie is", () => {
  const read = said({ canary: "true", affinity: "cookie" }, { paths: ["/shop(/|$)(.*)"] });
  deepEqual([read.useRegex, faultsOf(read)], [true, []]);
  equal(said({ canary: "true" }, { paths: ["/shop"] }).useRegex, false);
});

void test("a rewrite-target makes expressions of paths that can be nothing else, and leaves others as they are", () => {
  equal(said({ "rewrite-target": "/" }, { paths: ["/shop"] }).useRegex, false);
  equal(said({ "rewrite-target": "/" }, { paths: ["/shop.v1"] }).useRegex, false);
  equal(said({ "rewrite-target": "/" }, { paths: ["/shop/.*"] }).useRegex, true);
  equal(said({}, { paths: ["/shop/.*"] }).useRegex, false);
});
