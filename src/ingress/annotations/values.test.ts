import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { test } from "node:test";
import { usualBackend, usualSettings } from "../settings/defaults.ts";
import type { Annotated } from "./annotations.ts";
import { faultsOf, said, type Around } from "./example.ts";
import { GROUPS } from "./known.ts";

type Said = Readonly<Record<string, string>>;
type Expected = {
  readonly [Key in keyof Annotated]?: Key extends "settings" | "backend" ? Partial<Annotated[Key]> : Annotated[Key];
};

const BCRYPT = `$2y$05$${"a".repeat(53)}`;

const AROUND: Around = {
  secrets: {
    users: { auth: "# remark\nana:{PLAIN}a:her remark\n\nbo:{PLAIN}b\nana:second\n" },
    map: { ana: `${BCRYPT}\n` },
    tls: { "ca.crt": "CA", "tls.crt": "CRT", "tls.key": "KEY" },
  },
  configMaps: { headers: { "X-B": "2", "X-A": "1" } },
};

const COOKIE = {
  path: undefined,
  name: "INGRESSCOOKIE",
  mode: "balanced",
  canaryBehavior: "sticky",
  domain: undefined,
  sameSite: undefined,
  conditionalSameSiteNone: false,
  maxAge: undefined,
  expires: undefined,
  secure: undefined,
  changeOnFailure: false,
} as const;
const cookie = (said: Said, expected: Partial<NonNullable<Annotated["affinity"]>>): [Said, Expected] => [
  { affinity: "cookie", ...said },
  { affinity: { ...COOKIE, ...expected } },
];

const CANARY = { header: undefined, cookie: undefined, weight: 0, total: 100 };
const canary = (said: Said, expected: Partial<NonNullable<Annotated["canary"]>>): [Said, Expected] => [
  { canary: "true", ...said },
  { canary: { ...CANARY, ...expected } },
];

const CORS = {
  origins: ["*"],
  methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS",
  headers:
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
  expose: undefined,
  credentials: true,
  maxAge: 1_728_000,
};
const cors = (said: Said, expected: Partial<typeof CORS> | { expose: string }): [Said, Expected] => [
  { "enable-cors": "true", ...said },
  { settings: { cors: { ...CORS, ...expected } } },
];

const RATE = {
  perSecond: undefined,
  perMinute: undefined,
  burst: 5,
  connections: undefined,
  rate: undefined,
  rateAfter: 0,
  except: [],
  status: 503,
};
const AUTHORITY = {
  url: "https://auth.example/check",
  method: undefined,
  signIn: undefined,
  signInParameter: "rd",
  responseHeaders: [],
  requestHeaders: [],
  alwaysSetCookie: false,
};
const authority = (said: Said, expected: object): [Said, Expected] => [
  { "auth-url": AUTHORITY.url, ...said },
  { settings: { externalAuth: { ...AUTHORITY, ...expected } } },
];
const TLS = { ca: undefined, certificate: undefined, key: undefined, serverName: undefined };
const tls = (said: Said, expected: object): [Said, Expected] => [
  { "backend-protocol": "HTTPS", ...said },
  { backend: { protocol: "HTTPS", tls: { ...TLS, ...expected } } },
];
const { timeouts, retry } = usualSettings;
const USERS = new Map([
  ["ana", "{PLAIN}a"],
  ["bo", "{PLAIN}b"],
]);

/** By the name that they are about. */
const CASES: Readonly<Record<string, readonly [Said, Expected][]>> = {
  affinity: [cookie({}, {})],
  "affinity-mode": [cookie({ "affinity-mode": "persistent" }, { mode: "persistent" })],
  "affinity-canary-behavior": [cookie({ "affinity-canary-behavior": "legacy" }, { canaryBehavior: "legacy" })],
  "session-cookie-name": [cookie({ "session-cookie-name": "route" }, { name: "route" })],
  "session-cookie-path": [cookie({ "session-cookie-path": "/shop" }, { path: "/shop" })],
  "session-cookie-domain": [cookie({ "session-cookie-domain": ".a.example" }, { domain: ".a.example" })],
  "session-cookie-samesite": [cookie({ "session-cookie-samesite": "none" }, { sameSite: "None" })],
  "session-cookie-conditional-samesite-none": [
    cookie({ "session-cookie-conditional-samesite-none": "true" }, { conditionalSameSiteNone: true }),
  ],
  "session-cookie-expires": [cookie({ "session-cookie-expires": "172800" }, { expires: 172_800 })],
  "session-cookie-max-age": [cookie({ "session-cookie-max-age": "3600" }, { maxAge: 3600 })],
  "session-cookie-secure": [
    cookie({ "session-cookie-secure": "true" }, { secure: true }),
    cookie({ "session-cookie-secure": "false" }, { secure: false }),
  ],
  "session-cookie-change-on-failure": [
    cookie({ "session-cookie-change-on-failure": "true" }, { changeOnFailure: true }),
  ],
  canary: [canary({}, {}), [{ canary: "false", "canary-weight": "5" }, { canary: undefined }]],
  "canary-by-header": [canary({ "canary-by-header": "X-New" }, { header: { name: "x-new" } })],
  "canary-by-header-value": [
    canary(
      { "canary-by-header": "X-New", "canary-by-header-value": "yes", "canary-by-header-pattern": "n.*" },
      { header: { name: "x-new", value: "yes" } },
    ),
  ],
  "canary-by-header-pattern": [
    canary(
      { "canary-by-header": "x-new", "canary-by-header-pattern": "^y" },
      { header: { name: "x-new", pattern: "^y" } },
    ),
  ],
  "canary-by-cookie": [canary({ "canary-by-cookie": "new" }, { cookie: "new" })],
  "canary-weight": [canary({ "canary-weight": "30" }, { weight: 30 })],
  "canary-weight-total": [
    canary({ "canary-weight": "30", "canary-weight-total": "1000" }, { weight: 30, total: 1000 }),
  ],
  balance: [
    [{ "fairlead.dev/balance": "least-requests" }, { backend: { balance: { algorithm: "least-requests" } } }],
    [
      { "fairlead.dev/balance": "ewma", "upstream-hash-by": "$request_uri" },
      { backend: { balance: { algorithm: "ewma" } } },
    ],
  ],
  "load-balance": [
    [{ "load-balance": "ewma" }, { backend: { balance: { algorithm: "ewma" } } }],
    [{ "load-balance": "round_robin" }, { backend: usualBackend }],
  ],
  "upstream-hash-by": [
    [
      { "upstream-hash-by": "${request_uri}-$arg_user", "load-balance": "ewma" },
      { backend: { balance: { algorithm: "hash", key: "${request_uri}-$arg_user" } } },
    ],
  ],
  "rewrite-target": [
    [{ "rewrite-target": "/" }, { settings: { rewrite: { target: "/" } }, useRegex: false }],
    [{ "rewrite-target": "/$2" }, { settings: { rewrite: { target: "/$2" } }, useRegex: true }],
    [{ "rewrite-target": "$1" }, { settings: { rewrite: { target: "$1" } }, useRegex: true }],
  ],
  "use-regex": [
    [{ "use-regex": "true" }, { useRegex: true }],
    [{ "use-regex": "false" }, { useRegex: false }],
  ],
  "app-root": [[{ "app-root": "/app" }, { settings: { appRoot: "/app" } }]],
  "permanent-redirect": [
    [
      { "permanent-redirect": "https://b.example" },
      { settings: { redirect: { to: { url: "https://b.example" }, status: 301 } } },
    ],
  ],
  "permanent-redirect-code": [
    [
      { "permanent-redirect": "https://b.example", "permanent-redirect-code": "308" },
      { settings: { redirect: { to: { url: "https://b.example" }, status: 308 } } },
    ],
  ],
  "temporal-redirect": [
    [
      { "temporal-redirect": "https://c.example$request_uri", "permanent-redirect": "https://b.example" },
      { settings: { redirect: { to: { url: "https://c.example$request_uri" }, status: 302 } } },
    ],
  ],
  "temporal-redirect-code": [
    [
      { "temporal-redirect": "https://c.example", "temporal-redirect-code": "307" },
      { settings: { redirect: { to: { url: "https://c.example" }, status: 307 } } },
    ],
  ],
  "from-to-www-redirect": [[{ "from-to-www-redirect": "true" }, { wwwRedirect: true }]],
  "ssl-redirect": [
    [{ "ssl-redirect": "true" }, { settings: { httpsRedirect: 308 }, redirectsAlways: false }],
    [{ "ssl-redirect": "false" }, { settings: { httpsRedirect: undefined }, redirectsAlways: false }],
  ],
  "force-ssl-redirect": [
    [
      { "force-ssl-redirect": "true", "ssl-redirect": "false" },
      { settings: { httpsRedirect: 308 }, redirectsAlways: true },
    ],
  ],
  "kubernetes.io/ingress.allow-http": [
    [{ "kubernetes.io/ingress.allow-http": "false" }, { settings: { httpsRedirect: 308 }, redirectsAlways: true }],
    [{ "kubernetes.io/ingress.allow-http": "true" }, { settings: { httpsRedirect: 308 }, redirectsAlways: false }],
  ],
  "server-alias": [
    [{ "server-alias": "B.example, *.c.example,b.example" }, { serverAliases: ["*.c.example", "b.example"] }],
  ],
  "allowlist-source-range": [
    [
      { "allowlist-source-range": "192.0.2.7/24, 2001:DB8::1,198.51.100.4", "whitelist-source-range": "10.0.0.0/8" },
      { settings: { sources: { allow: ["192.0.2.0/24", "198.51.100.4/32", "2001:db8::1/128"], deny: [] } } },
    ],
  ],
  "whitelist-source-range": [
    [{ "whitelist-source-range": "10.0.0.0/8" }, { settings: { sources: { allow: ["10.0.0.0/8"], deny: [] } } }],
  ],
  "denylist-source-range": [
    [{ "denylist-source-range": "10.0.0.1" }, { settings: { sources: { allow: [], deny: ["10.0.0.1/32"] } } }],
  ],
  "auth-type": [
    [
      { "auth-type": "basic", "auth-secret": "users" },
      { settings: { basicAuth: { realm: "Authentication Required", users: USERS } } },
    ],
  ],
  "auth-secret": [
    [{ "auth-secret": "shop/users" }, { settings: { basicAuth: { realm: "Authentication Required", users: USERS } } }],
  ],
  "auth-secret-type": [
    [
      { "auth-secret": "users", "auth-secret-type": "auth-file" },
      { settings: { basicAuth: { realm: "Authentication Required", users: USERS } } },
    ],
    [
      { "auth-type": "basic", "auth-secret": "map", "auth-secret-type": "auth-map" },
      { settings: { basicAuth: { realm: "Authentication Required", users: new Map([["ana", BCRYPT]]) } } },
    ],
  ],
  "auth-realm": [
    [
      { "auth-type": "basic", "auth-secret": "users", "auth-realm": 'The "shop"' },
      { settings: { basicAuth: { realm: "The shop", users: USERS } } },
    ],
  ],
  "auth-url": [authority({}, {})],
  "auth-method": [authority({ "auth-method": "POST" }, { method: "POST" })],
  "auth-signin": [
    authority(
      { "auth-signin": "https://$host/in?rd=$escaped_request_uri" },
      { signIn: "https://$host/in?rd=$escaped_request_uri" },
    ),
  ],
  "auth-signin-redirect-param": [authority({ "auth-signin-redirect-param": "back" }, { signInParameter: "back" })],
  "auth-response-headers": [
    authority({ "auth-response-headers": "X-User, X-Mail" }, { responseHeaders: ["X-User", "X-Mail"] }),
  ],
  "auth-request-redirect": [
    authority(
      { "auth-request-redirect": "/back" },
      { requestHeaders: [{ name: "X-Auth-Request-Redirect", value: "/back" }] },
    ),
  ],
  "auth-always-set-cookie": [authority({ "auth-always-set-cookie": "true" }, { alwaysSetCookie: true })],
  "auth-proxy-set-headers": [
    authority(
      { "auth-proxy-set-headers": "shop/headers" },
      {
        requestHeaders: [
          { name: "X-A", value: "1" },
          { name: "X-B", value: "2" },
        ],
      },
    ),
  ],
  satisfy: [
    [{ satisfy: "all" }, {}],
    [{ satisfy: "any" }, { settings: { satisfy: "any" } }],
  ],
  "limit-rps": [[{ "limit-rps": "10" }, { settings: { rateLimit: { ...RATE, perSecond: 10 } } }]],
  "limit-rpm": [[{ "limit-rpm": "100" }, { settings: { rateLimit: { ...RATE, perMinute: 100 } } }]],
  "limit-connections": [[{ "limit-connections": "3" }, { settings: { rateLimit: { ...RATE, connections: 3 } } }]],
  "limit-burst-multiplier": [
    [
      { "limit-rps": "10", "limit-burst-multiplier": "2" },
      { settings: { rateLimit: { ...RATE, perSecond: 10, burst: 2 } } },
    ],
  ],
  "limit-rate": [[{ "limit-rate": "100" }, { settings: { rateLimit: { ...RATE, rate: 102_400 } } }]],
  "limit-rate-after": [
    [
      { "limit-rate": "100", "limit-rate-after": "1" },
      { settings: { rateLimit: { ...RATE, rate: 102_400, rateAfter: 1024 } } },
    ],
  ],
  "limit-allowlist": [
    [
      { "limit-rps": "1", "limit-allowlist": "10.0.0.0/8" },
      { settings: { rateLimit: { ...RATE, perSecond: 1, except: ["10.0.0.0/8"] } } },
    ],
  ],
  "limit-whitelist": [
    [
      { "limit-rps": "1", "limit-whitelist": "10.0.0.9" },
      { settings: { rateLimit: { ...RATE, perSecond: 1, except: ["10.0.0.9/32"] } } },
    ],
  ],
  "enable-cors": [cors({}, {}), [{ "enable-cors": "false", "cors-max-age": "1" }, { settings: { cors: undefined } }]],
  "cors-allow-origin": [
    cors(
      { "cors-allow-origin": "https://a.example:8080, https://*.b.example" },
      { origins: ["https://a.example:8080", "https://*.b.example"] },
    ),
    cors({ "cors-allow-origin": "https://a.example, *" }, { origins: ["*"] }),
  ],
  "cors-allow-methods": [cors({ "cors-allow-methods": "GET, POST" }, { methods: "GET, POST" })],
  "cors-allow-headers": [cors({ "cors-allow-headers": "X-One,X-Two" }, { headers: "X-One,X-Two" })],
  "cors-expose-headers": [cors({ "cors-expose-headers": "*, X-Three" }, { expose: "*, X-Three" })],
  "cors-allow-credentials": [cors({ "cors-allow-credentials": "false" }, { credentials: false })],
  "cors-max-age": [cors({ "cors-max-age": "600" }, { maxAge: 600 })],
  "backend-protocol": [
    tls({}, {}),
    [{ "backend-protocol": "grpc" }, { backend: { protocol: "GRPC", tls: undefined } }],
    [{ "backend-protocol": "GRPCS" }, { backend: { protocol: "GRPCS", tls: TLS } }],
    [{ "backend-protocol": "AUTO_HTTP" }, { backend: { protocol: "HTTP", tls: undefined } }],
  ],
  "proxy-ssl-secret": [tls({ "proxy-ssl-secret": "shop/tls" }, { certificate: "CRT", key: "KEY" })],
  "proxy-ssl-verify": [
    tls({ "proxy-ssl-secret": "tls", "proxy-ssl-verify": "off" }, { certificate: "CRT", key: "KEY" }),
    tls({ "proxy-ssl-secret": "tls", "proxy-ssl-verify": "on" }, { ca: "CA", certificate: "CRT", key: "KEY" }),
  ],
  "proxy-ssl-name": [tls({ "proxy-ssl-name": "inner.example" }, { serverName: "inner.example" })],
  "proxy-ssl-server-name": [
    [
      { "backend-protocol": "HTTPS", "proxy-ssl-server-name": "on", "upstream-vhost": "v.example" },
      {
        settings: { upstreamHost: "v.example" },
        backend: { protocol: "HTTPS", tls: { ...TLS, serverName: "v.example" } },
      },
    ],
  ],
  "upstream-vhost": [
    [
      { "upstream-vhost": "$service_name.$namespace.svc.cluster.local" },
      { settings: { upstreamHost: "$service_name.$namespace.svc.cluster.local" } },
    ],
  ],
  "x-forwarded-prefix": [[{ "x-forwarded-prefix": "/$1" }, { settings: { forwardedPrefix: "/$1" } }]],
  "service-upstream": [[{ "service-upstream": "true" }, { serviceUpstream: true }]],
  "proxy-connect-timeout": [
    [{ "proxy-connect-timeout": "2" }, { settings: { timeouts: { ...timeouts, connect: 2_000 } } }],
  ],
  "proxy-send-timeout": [[{ "proxy-send-timeout": "90" }, { settings: { timeouts: { ...timeouts, send: 90_000 } } }]],
  "proxy-read-timeout": [
    [{ "proxy-read-timeout": "600" }, { settings: { timeouts: { ...timeouts, read: 600_000 } } }],
    [
      { "proxy-read-timeout": "86400" },
      { settings: { timeouts: { ...timeouts, read: 86_400_000, tunnel: 86_400_000 } } },
    ],
  ],
  "proxy-next-upstream": [
    [
      { "proxy-next-upstream": "timeout invalid_header http_403 http_404 http_429 http_500 http_503 http_504" },
      {
        settings: {
          retry: {
            ...retry,
            on: new Set([
              "timeout",
              "invalid_header",
              "http_403",
              "http_404",
              "http_429",
              "http_500",
              "http_503",
              "http_504",
            ] as const),
          },
        },
      },
    ],
    [
      { "proxy-next-upstream": "error http_502  non_idempotent" },
      { settings: { retry: { ...retry, on: new Set(["error", "http_502"] as const), nonIdempotent: true } } },
    ],
    [{ "proxy-next-upstream": "off" }, { settings: { retry: { ...retry, on: new Set() } } }],
  ],
  "proxy-next-upstream-tries": [
    [{ "proxy-next-upstream-tries": "0" }, { settings: { retry: { ...retry, tries: 0 } } }],
  ],
  "proxy-next-upstream-timeout": [
    [{ "proxy-next-upstream-timeout": "7" }, { settings: { retry: { ...retry, timeout: 7_000 } } }],
  ],
  "proxy-body-size": [
    [{ "proxy-body-size": "8m" }, { settings: { maximumBody: 8_388_608 } }],
    [{ "proxy-body-size": "10K" }, { settings: { maximumBody: 10_240 } }],
    [{ "proxy-body-size": "0" }, { settings: { maximumBody: undefined } }],
  ],
  "custom-headers": [
    [
      { "custom-headers": "shop/headers" },
      {
        settings: {
          responseHeaders: [
            { name: "X-A", value: "1" },
            { name: "X-B", value: "2" },
          ],
        },
      },
    ],
  ],
  "proxy-cookie-domain": [
    [
      { "proxy-cookie-domain": "localhost a.example" },
      { settings: { cookies: { domain: { from: "localhost", to: "a.example" }, path: undefined } } },
    ],
    [{ "proxy-cookie-domain": "off" }, { settings: { cookies: undefined } }],
  ],
  "proxy-cookie-path": [
    [
      { "proxy-cookie-path": "/one /" },
      { settings: { cookies: { domain: undefined, path: { from: "/one", to: "/" } } } },
    ],
  ],
  "proxy-redirect-from": [
    [
      { "proxy-redirect-from": "http://a.example/", "proxy-redirect-to": "https://a.example/" },
      { settings: { locations: { from: "http://a.example/", to: "https://a.example/" } } },
    ],
  ],
  "proxy-redirect-to": [
    [{ "proxy-redirect-from": "default" }, { settings: { locations: undefined } }],
    [{ "proxy-redirect-from": "off", "proxy-redirect-to": "/x" }, { settings: { locations: undefined } }],
    [{ "proxy-redirect-from": "/a", "proxy-redirect-to": "/b" }, { settings: { locations: { from: "/a", to: "/b" } } }],
  ],
  "custom-http-errors": [
    [{ "custom-http-errors": "503, 404,404" }, { settings: { errorPages: { codes: [404, 503], backend: undefined } } }],
  ],
  "default-backend": [[{ "default-backend": "sorry" }, { defaultBackend: "sorry" }]],
  "disable-proxy-intercept-errors": [
    [
      { "disable-proxy-intercept-errors": "true", "custom-http-errors": "503", "default-backend": "sorry" },
      { settings: { errorPages: undefined }, defaultBackend: "sorry" },
    ],
  ],
  "mirror-target": [
    [
      { "mirror-target": "https://m.example$request_uri" },
      { settings: { mirror: { url: "https://m.example$request_uri", host: undefined, body: true } } },
    ],
  ],
  "mirror-host": [
    [
      { "mirror-target": "https://192.0.2.1", "mirror-host": "m.example" },
      { settings: { mirror: { url: "https://192.0.2.1", host: "m.example", body: true } } },
    ],
  ],
  "mirror-request-body": [
    [
      { "mirror-target": "https://m.example", "mirror-request-body": "on" },
      { settings: { mirror: { url: "https://m.example", host: undefined, body: true } } },
    ],
    [
      { "mirror-target": "https://m.example", "mirror-request-body": "off" },
      { settings: { mirror: { url: "https://m.example", host: undefined, body: false } } },
    ],
  ],
  "enable-access-log": [[{ "enable-access-log": "false" }, { settings: { accessLog: false } }]],
};

/** They are known, and what they ask for is always so or never; the verdict says which. */
const WITHOUT_EFFECT = [
  "ssl-ciphers",
  "auth-cache-key",
  "proxy-ssl-ciphers",
  "proxy-ssl-protocols",
  "proxy-http-version",
  "upstream-hash-by-subset",
  "upstream-hash-by-subset-size",
  "enable-opentelemetry",
  "opentelemetry-trust-incoming-span",
  "proxy-request-buffering",
];

const nothing = said({});

function check(annotations: Said, { settings, backend, ...others }: Expected): void {
  const read = said(annotations, AROUND);
  deepEqual(faultsOf(read), []);
  deepEqual(read, {
    ...nothing,
    ...others,
    settings: { ...usualSettings, ...settings },
    backend: { ...usualBackend, ...backend },
  });
}

for (const [name, cases] of Object.entries(CASES)) {
  const statement =
    name === "affinity"
      ? "CTL-154, CTL-157, CTL-158: "
      : ({
          "affinity-mode": "CTL-155: ",
          "affinity-canary-behavior": "CTL-156: ",
          "session-cookie-name": "CTL-157: ",
          "session-cookie-path": "CTL-158: ",
          "session-cookie-domain": "CTL-159: ",
          "session-cookie-samesite": "CTL-159: ",
          "session-cookie-conditional-samesite-none": "CTL-159: ",
          "session-cookie-expires": "CTL-160: ",
          "session-cookie-max-age": "CTL-160: ",
          "session-cookie-change-on-failure": "CTL-161: ",
          "session-cookie-secure": "CTL-162: ",
        }[name] ?? "");
  void test(`${statement}${name} is read`, () => {
    for (const [annotations, expected] of cases) check(annotations, expected);
  });
}

void test("every annotation that is served, the same or differently, has a case here, and in one of them an effect", () => {
  const served = GROUPS.flatMap(({ annotations }) =>
    annotations.filter(({ verdict }) => verdict.served === "same" || verdict.served === "differently"),
  ).map(({ name }) => name);
  deepEqual(served.toSorted(), [...Object.keys(CASES), ...WITHOUT_EFFECT].toSorted());
  for (const [name, cases] of Object.entries(CASES)) {
    // A Secret with users is enough; all that the type can do besides is to refuse.
    if (name === "auth-type") continue;
    const isFelt = cases.some(([annotations]) => {
      const without = Object.fromEntries(
        Object.entries(annotations).filter(([key]) => key !== name && key !== `fairlead.dev/${name}`),
      );
      try {
        notDeepEqual(said(annotations, AROUND), said(without, AROUND));
        return true;
      } catch {
        return false;
      }
    });
    equal(isFelt, true, name);
  }
});

void test("fairlead.dev/ is the same and stronger, in whichever order they stand", () => {
  for (const [name, cases] of Object.entries(CASES)) {
    if (name === "balance" || name.includes("/")) continue;
    for (const [annotations] of cases) {
      const own = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`fairlead.dev/${key}`, value]));
      deepEqual(said(own, AROUND), said(annotations, AROUND), name);
    }
  }
  const stronger = { "fairlead.dev/proxy-body-size": "2m" };
  const weaker = { "proxy-body-size": "1m" };
  equal(said({ ...stronger, ...weaker }).settings.maximumBody, 2_097_152);
  equal(said({ ...weaker, ...stronger }).settings.maximumBody, 2_097_152);
});

void test("an Ingress without annotations of ours, or with those of others, costs one object for all", () => {
  equal(said({ "example.com/affinity": "cookie", "kubernetes.io/ingress.class": "fairlead" }), nothing);
  equal(said({}), nothing);
  equal(nothing.settings, usualSettings);
});
