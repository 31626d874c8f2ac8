import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { array, asyncProperty, assert, constantFrom, dictionary, oneof, record, string } from "fast-check";
import { plainSettings, requestHead, routeWith } from "../../../test/ingress/filter-examples.ts";
import { silentLog } from "../../observe/log.ts";
import type { IngressPlan, RoutePlan } from "../plan/plan.ts";
import type { Answer, OutgoingHead, RequestHead, ResponseHead } from "../request.ts";
import type { RateLimit, RouteSettings } from "../settings/settings.ts";
import { createFilters, type FilterGround, type Filters } from "./create.ts";

const at = (start = 0) => {
  let now = start;
  return {
    clock: { now: () => now, after: () => () => {} },
    pass: (milliseconds: number) => void (now += milliseconds),
  };
};

const made = (ground: Partial<FilterGround> = {}): Filters =>
  createFilters({
    clock: at().clock,
    log: silentLog,
    ask: () => Promise.reject(new Error("nobody is there")),
    passwords: { verify: () => false, close: () => Promise.resolve() },
    ...ground,
  });

const admitted = (settings: Partial<RouteSettings>, request = requestHead(), ground: Partial<FilterGround> = {}) =>
  made(ground).of(routeWith(settings)).admit?.(request);

const responded = (
  settings: Partial<RouteSettings>,
  headers: ResponseHead["headers"],
  request = requestHead(),
  status = 200,
) => {
  const response = { status, headers };
  made().of(routeWith(settings)).respond?.(response, request);
  return response.headers;
};

const sent = (settings: Partial<RouteSettings>, target: string, match?: RoutePlan["match"]): OutgoingHead => {
  const outgoing: OutgoingHead = { target, headers: { host: "a.example" } };
  made()
    .of(routeWith(settings, match))
    .forward?.(outgoing, requestHead(target, { headers: { "user-agent": "A (b)\r\n" } }));
  return outgoing;
};

test("a plain route has no filter at all, and filters are made once for a route", () => {
  const filters = made();
  const route = routeWith();
  deepEqual(filters.of(route), {});
  const limited = routeWith({ appRoot: "/app" });
  equal(filters.of(limited), filters.of(limited));
});

test("a route that cannot be protected is 503, and why stands in the log alone, once a minute", () => {
  const lines: object[] = [];
  const { clock, pass } = at();
  const log = { ...silentLog, warn: (facts: object) => void lines.push(facts) };
  const { admit } = made({ log, clock }).of(routeWith({ refused: "no secret", appRoot: "/app" }));
  for (let count = 0; count < 100; count += 1) deepEqual(admit!(requestHead()), { status: 503 });
  equal(lines.length, 1);
  equal((lines[0] as { reason: string }).reason, "no secret");
  pass(60_000);
  void admit!(requestHead());
  equal(lines.length, 2);
});

for (const [to, target, location] of [
  [{ url: "https://b.example/x" }, "/a?b", "https://b.example/x"],
  [{ url: "https://b.example$request_uri" }, "/a?b=c", "https://b.example/a?b=c"],
  [{ url: "$scheme://www.$host/" }, "/a", "http://www.a.example/"],
  [{ url: "https://b.example/${namespace}/$nothing" }, "/", "https://b.example/default/$nothing"],
  [{ url: "https://b.example/ü x\r\nSet-Cookie: a=b" }, "/", "https://b.example/%C3%BC%20x%0D%0ASet-Cookie:%20a=b"],
  [{ host: "b.example" }, "/a?b=c", "http://b.example/a?b=c"],
  [{ host: "b.example:8080" }, "//c.example/", "http://b.example:8080//c.example/"],
  [{ host: "b.example" }, "*", "http://b.example/"],
  [{ host: "b.example" }, "/a\r\nx: y", "http://b.example/a%0D%0Ax:%20y"],
] as const) {
  test(`a redirect to ${JSON.stringify(to)} of ${JSON.stringify(target)}`, () => {
    deepEqual(admitted({ redirect: { to, status: 301 } }, requestHead(target)), { status: 301, headers: { location } });
  });
}

for (const [authority, target, httpsPort, location] of [
  ["a.example", "/a?b", 443, "https://a.example/a?b"],
  ["a.example:8080", "/", 443, "https://a.example/"],
  ["a.example:8080", "/", 8443, "https://a.example:8443/"],
  ["[2001:db8::1]:80", "/", 443, "https://[2001:db8::1]/"],
  ['x"><script>', "/", 443, "https://a.example/"],
  ["", "/", 443, "https://a.example/"],
] as const) {
  test(`plain requests to ${JSON.stringify(authority)} are sent to https by 308 (CTL-141)`, () => {
    deepEqual(admitted({ httpsRedirect: 308 }, requestHead(target, { authority }), { httpsPort }), {
      status: 308,
      headers: { location },
    });
    equal(admitted({ httpsRedirect: 308 }, requestHead(target, { authority, scheme: "https" })), undefined);
  });
}

test("without a host nobody is sent to https, and nothing is served in the clear", () => {
  const { admit } = made().of(routeWith({ httpsRedirect: 308 }, undefined, ""));
  deepEqual(admit!(requestHead("/", { authority: "" })), { status: 400 });
});

test("/ is sent to the application's root", () => {
  deepEqual(admitted({ appRoot: "/app" }, requestHead("/?a")), {
    status: 302,
    headers: { location: "http://a.example/app" },
  });
  equal(admitted({ appRoot: "/app" }, requestHead("/a")), undefined);
  deepEqual(admitted({ appRoot: "//b.example" }, requestHead("/", { authority: "<" })), {
    status: 302,
    headers: { location: "/b.example" },
  });
});

test("addresses that are denied, or not among those allowed, get 403, as IPv4 or in IPv6's clothes", () => {
  const asks = (allow: string[], deny: string[], client: string) =>
    (admitted({ sources: { allow, deny } }, requestHead("/", { client })) as Answer | undefined)?.status;
  equal(asks(["10.0.0.0/8"], [], "10.1.1.1"), undefined);
  equal(asks(["10.0.0.0/8"], [], "::ffff:10.1.1.1"), undefined);
  equal(asks(["10.0.0.0/8"], [], "11.1.1.1"), 403);
  equal(asks(["10.0.0.0/8"], [], "::1"), 403);
  equal(asks(["10.0.0.0/8"], ["10.1.0.0/16"], "10.1.1.1"), 403);
  equal(asks([], ["10.1.0.0/16"], "::ffff:10.1.1.1"), 403);
  equal(asks([], ["10.1.0.0/16"], "10.2.1.1"), undefined);
});

const corsSetting = {
  origins: ["https://*.a.example", "https://b.example:8443"],
  methods: "GET, PUT",
  headers: "DNT,Authorization",
  expose: "X-Own",
  credentials: true,
  maxAge: 600,
};
const withOrigin = (origin: string | undefined, method = "GET") =>
  requestHead("/", { method, headers: origin === undefined ? {} : { origin } });

for (const [origin, allowed] of [
  ["https://x.a.example", true],
  ["HTTPS://X.A.example", true],
  ["https://b.example:8443", true],
  ["https://a.example", false],
  ["https://.a.example", false],
  ["https://x.y.a.example", false],
  ["http://x.a.example", false],
  ["https://evil.example?.a.example", false],
  ["https://evil.example/.a.example", false],
  ["https://x.a.example.evil.example", false],
  ["https://b.example", false],
  ["null", false],
] as const) {
  test(`origin ${origin} is ${allowed ? "" : "not "}allowed`, () => {
    const headers = responded({ cors: corsSetting }, { "access-control-allow-origin": "*" }, withOrigin(origin));
    deepEqual(
      headers,
      allowed
        ? {
            vary: "Origin",
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "GET, PUT",
            "access-control-allow-headers": "DNT,Authorization",
            "access-control-expose-headers": "X-Own",
            "access-control-max-age": "600",
          }
        : { vary: "Origin" },
    );
    deepEqual(admitted({ cors: corsSetting }, withOrigin(origin, "OPTIONS")), allowed ? { status: 204 } : undefined);
  });
}

test("any origin is answered with a star, never with itself, and does not vary", () => {
  const cors = { ...corsSetting, origins: ["*"], expose: undefined, credentials: false };
  const headers = responded({ cors }, {}, withOrigin("https://evil.example"));
  equal(headers["access-control-allow-origin"], "*");
  equal(headers["vary"], undefined);
  deepEqual(admitted({ cors }, withOrigin("https://evil.example", "OPTIONS")), { status: 204 });
  equal(admitted({ cors }, withOrigin(undefined, "OPTIONS")), undefined);
});

test("Vary keeps what the backend said in it", () => {
  const vary = (said: string) => responded({ cors: corsSetting }, { vary: said }, withOrigin(undefined))["vary"];
  deepEqual([vary("Accept"), vary("accept, ORIGIN"), vary("*")], ["Accept, Origin", "accept, ORIGIN", "*"]);
});

test("a long origin is judged in no time", () => {
  const origins = Array.from({ length: 100 }, () => "https://*.a.example");
  const began = performance.now();
  for (const origin of [
    `https://${"a".repeat(100_000)}`,
    `https://${"a.".repeat(50_000)}a.example`,
    "*".repeat(100_000),
  ]) {
    equal(
      responded({ cors: { ...corsSetting, origins } }, {}, withOrigin(origin))["access-control-allow-origin"],
      undefined,
    );
  }
  ok(performance.now() - began < 2000);
});

test("a preflight is answered before anybody is asked for a password, and only to addresses that may ask", () => {
  const settings: Partial<RouteSettings> = {
    cors: corsSetting,
    basicAuth: { realm: "r", users: new Map([["a", "{PLAIN}b"]]) },
    sources: { allow: ["10.0.0.0/8"], deny: [] },
  };
  const preflight = { ...withOrigin("https://x.a.example", "OPTIONS"), client: "10.0.0.1" };
  deepEqual(admitted(settings, preflight), { status: 204 });
  deepEqual(admitted(settings, { ...preflight, client: "11.0.0.1" }), { status: 403 });
  equal((admitted(settings, { ...preflight, method: "GET" }) as Answer).status, 401);
});

for (const [target, source, path, expected] of [
  ["/", undefined, "/foo/bar?x=1", "/?x=1"],
  ["/new", undefined, "/foo", "/new"],
  ["/$2", "/foo(/|$)(.*)", "/foo/bar%2Fbaz?x=1", "/bar%2Fbaz?x=1"],
  ["/$2", "/foo(/|$)(.*)", "/FOO", "/"],
  ["/$2", "/foo(/|$)(.*)", "/FOO/Bar", "/Bar"],
  ["$1", "/foo(/.*)?", "/foo", "/"],
  ["/a?b=$1", "/foo/(.*)", "/foo/c?d=e", "/a?b=c&d=e"],
  ["/a?", "/foo/(.*)", "/foo/c?d=e", "/a"],
  ["/a?b", "/foo/(.*)", "/foo/c", "/a?b"],
  ["/$9", "/foo/(.*)", "/foo/c", "/"],
  ["/x y#z", undefined, "/foo", "/x%20y%23z"],
  ["/$1", "/foo/(.*)", "/foo/a\r\nHost: b", "/a"],
  ["/$1", "/foo/([^]*)", "/foo/a\r\nHost: b\xe9", "/a%0D%0AHost:%20b%E9"],
] as const) {
  test(`${JSON.stringify(path)} is rewritten to ${target}: ${JSON.stringify(expected)}`, () => {
    const match = source === undefined ? { type: "prefix" as const, path: "/foo" } : { type: "regex" as const, source };
    const got = sent({ rewrite: { target } }, path, match).target;
    equal(got, expected);
  });
}

test("Host, prefix and own headers of the request", () => {
  const { headers } = sent(
    {
      upstreamHost: "$service_name.$namespace.svc",
      forwardedPrefix: "/api",
      requestHeaders: [
        { name: "X-Own", value: "1" },
        { name: "X-Port", value: "$service_port" },
        { name: "X-Agent", value: "of ${http_user_agent} $nothing" },
        { name: "host", value: "$http_accept" },
      ],
    },
    "/",
  );
  deepEqual(headers, { "x-forwarded-prefix": "/api", "x-own": "1", "x-port": "80", "x-agent": "of A (b) $nothing" });
});

test("own headers of the response, Location, Refresh and cookies as they are seen from outside", () => {
  deepEqual(
    responded(
      {
        responseHeaders: [
          { name: "X-Own", value: "1" },
          { name: "Server", value: "" },
        ],
        locations: { from: "http://web.internal/", to: "https://a.example/" },
        cookies: { domain: { from: "web.internal", to: "a.example" }, path: { from: "/app/", to: "/" } },
      },
      {
        server: "x",
        location: "http://web.internal/login",
        refresh: "5; URL=http://web.internal/next",
        "set-cookie": [
          "a=b; Domain=.WEB.internal; path=/app/x; HttpOnly",
          "domain=web.internal",
          "c=d; Domain=other; Path=/",
        ],
      },
    ),
    {
      "x-own": "1",
      location: "https://a.example/login",
      refresh: "5; URL=https://a.example/next",
      "set-cookie": ["a=b; Domain=a.example; Path=/x; HttpOnly", "domain=web.internal", "c=d; Domain=other; Path=/"],
    },
  );
});

test("where we send somebody ourselves is not rewritten", () => {
  const { admit, respond } = made().of(
    routeWith({ appRoot: "/app", locations: { from: "http://a.example/app", to: "/elsewhere" } }),
  );
  const ours = requestHead("/");
  const answer = admit!(ours) as Answer;
  const response = { status: answer.status, headers: { ...answer.headers } };
  respond!(response, ours);
  equal(response.headers["location"], "http://a.example/app");
  const theirs = requestHead("/x");
  equal(admit!(theirs), undefined);
  const other: ResponseHead = { status: 302, headers: { location: "http://a.example/app/x" } };
  respond!(other, theirs);
  equal(other.headers["location"], "/elsewhere/x");
});

test("8 kB of cookies, and thousands of attributes, are rewritten in no time", () => {
  const cookies = { domain: { from: "a", to: "b" }, path: { from: "/", to: "/" } };
  const began = performance.now();
  responded(
    { cookies },
    { "set-cookie": ["a".repeat(8192), `x=y${"; domain=a".repeat(1000)}`, `=${";".repeat(8192)}=`] },
  );
  ok(performance.now() - began < 1000);
});

const rate: RateLimit = {
  perSecond: 2,
  perMinute: undefined,
  burst: 5,
  connections: undefined,
  rate: undefined,
  rateAfter: 0,
  except: ["10.0.0.0/8"],
  status: 503,
};

const statuses = (admit: (request: RequestHead) => unknown, count: number, request: RequestHead): number =>
  Array.from({ length: count }, () => admit(request)).filter((answer) => answer !== undefined).length;

test("a client may ask at its rate, after a burst, and refused requests cost nothing", () => {
  const { clock, pass } = at();
  const filters = made({ clock });
  const { admit } = filters.of(routeWith({ rateLimit: rate }));
  equal(statuses(admit!, 100, requestHead()), 89);
  pass(1000);
  equal(statuses(admit!, 100, requestHead()), 98);
  equal(statuses(admit!, 100, requestHead("/", { client: "192.0.2.2" })), 89);
  equal(statuses(admit!, 100, requestHead("/", { client: "10.1.2.3" })), 0);
  // Whoever has one address of IPv6 has 2^64 of them.
  equal(statuses(admit!, 11, requestHead("/", { client: "2001:db8::1" })), 0);
  equal(statuses(admit!, 11, requestHead("/", { client: "2001:db8::2" })), 11);
  equal(statuses(admit!, 11, requestHead("/", { client: "2001:db8:0:1::2" })), 0);
});

test("what is counted is the Ingress's, outlives the plan, and is forgotten with the Ingress", () => {
  const { clock, pass } = at(1_000_000);
  const filters = made({ clock });
  const slow = { ...rate, perSecond: 0.000_001, burst: 0 };
  const asks = (host: string) => {
    const answer = filters.of(routeWith({ rateLimit: slow }, undefined, host)).admit!(requestHead());
    return answer instanceof Promise || answer === undefined ? 0 : answer.status;
  };
  deepEqual([asks("a.example"), asks("a.example"), asks("b.example")], [0, 503, 503]);
  const plan = (routes: RoutePlan[]): IngressPlan => ({
    hosts: new Map([["a.example", { host: "a.example", routes }]]),
    backends: new Map(),
    certificates: new Map(),
  });
  filters.follow(plan([routeWith({ rateLimit: slow })]));
  equal(asks("a.example"), 503);
  filters.follow(plan([]));
  equal(asks("a.example"), 503);
  pass(60_000);
  filters.follow(plan([]));
  equal(asks("a.example"), 0);
});

test("a bound by the minute, and both at once", () => {
  const { clock, pass } = at();
  const { admit } = made({ clock }).of(
    routeWith({ rateLimit: { ...rate, perSecond: 1, perMinute: 6, burst: 2, status: 429 } }),
  );
  equal(statuses(admit!, 10, requestHead()), 7);
  let accepted = 0;
  for (let second = 0; second < 600; second += 1) {
    pass(1000);
    if (admit!(requestHead()) === undefined) accepted += 1;
  }
  // Six a minute for ten minutes, and what is left of the burst.
  ok(accepted >= 60 && accepted <= 60 + 13, String(accepted));
});

test("requests under way are bounded, and end once each", () => {
  const filters = made();
  const route = routeWith({ rateLimit: { ...rate, perSecond: undefined, connections: 2 } });
  const { admit, ended } = filters.of(route);
  const requests = [requestHead(), requestHead(), requestHead(), requestHead()];
  equal(admit!(requests[0]!), undefined);
  equal(admit!(requests[1]!), undefined);
  deepEqual(admit!(requests[2]!), { status: 503 });
  ended!(requests[2]!);
  deepEqual(admit!(requests[2]!), { status: 503 });
  ended!(requests[0]!);
  ended!(requests[0]!);
  equal(admit!(requests[2]!), undefined);
  deepEqual(admit!(requests[3]!), { status: 503 });
});

test("a response's rate is told to whoever sends it", () => {
  deepEqual(made().of(routeWith({ rateLimit: { ...rate, perSecond: undefined, rate: 1000, rateAfter: 500 } })), {
    sendRate: { bytesPerSecond: 1000, after: 500 },
  });
});

test("a fault of ours lets nobody in", () => {
  const clock = {
    now: () => {
      throw new Error("no time");
    },
    after: () => () => {},
  };
  deepEqual(admitted({ rateLimit: rate }, requestHead(), { clock }), { status: 500 });
});

test("a fault of ours in the middle lets nobody in either", async () => {
  const log = {
    ...silentLog,
    warn: () => {
      throw new Error("the disk is full");
    },
  };
  const externalAuth = {
    url: "http://auth.example/",
    method: undefined,
    signIn: undefined,
    signInParameter: "rd",
    responseHeaders: [],
    requestHeaders: [],
    alwaysSetCookie: false,
  };
  deepEqual(await admitted({ externalAuth }, requestHead(), { log }), { status: 500 });
});

test("settings that engines do are no filters", () => {
  deepEqual(
    made().of(
      routeWith({
        ...plainSettings,
        maximumBody: 1,
        mirror: { url: "http://m.example", host: undefined, body: true },
        errorPages: { codes: [404], backend: undefined },
        accessLog: false,
      }),
    ),
    {},
  );
});

test("whatever a request is, filters answer, throw nothing, and let no line end through", async () => {
  const filters = made({
    ask: () => Promise.resolve({ status: 200, headers: { "x-user": "u", "set-cookie": "a=b" } }),
  });
  const route = routeWith(
    {
      appRoot: "/app",
      sources: { allow: ["0.0.0.0/0", "::/0"], deny: ["10.0.0.0/8"] },
      externalAuth: {
        url: "http://$host/$uri?$args",
        method: undefined,
        signIn: "https://$http_host/",
        signInParameter: "rd",
        responseHeaders: ["x-user"],
        requestHeaders: [{ name: "x", value: "$http_x_own" }],
        alwaysSetCookie: true,
      },
      rateLimit: { ...rate, connections: 5 },
      cors: corsSetting,
      rewrite: { target: "/$1?a=$2" },
      upstreamHost: "$host.$namespace",
      forwardedPrefix: "/$1",
      requestHeaders: [{ name: "x-uri", value: "$request_uri $http_x_own" }],
      responseHeaders: [{ name: "x-uri", value: "$uri$is_args$args" }],
      cookies: { domain: { from: "a", to: "b" }, path: { from: "/", to: "/x" } },
      locations: { from: "/", to: "/y" },
    },
    { type: "regex", source: "/([^]*)/(x?)" },
  );
  const { admit, forward, respond, ended } = filters.of(route);
  const name = oneof(
    string(),
    constantFrom(
      "origin",
      "authorization",
      "x-own",
      "cookie",
      "connection",
      "set-cookie",
      "location",
      "refresh",
      "vary",
    ),
  );
  const anything = record({
    target: string().map((text) => `/${text}`),
    authority: oneof(string(), constantFrom("a.example")),
    client: oneof(string(), constantFrom("192.0.2.1", "::1", "10.0.0.1")),
    method: constantFrom("GET", "OPTIONS", "POST"),
    headers: dictionary(name, oneof(string(), constantFrom("https://x.a.example"))),
    answer: dictionary(name, oneof(string(), array(string()))),
  });
  await assert(
    asyncProperty(anything, async ({ target, authority, client, method, headers, answer: said }) => {
      const request = requestHead(target, { authority, client, method, headers });
      const answer = await admit!(request);
      const response = {
        status: answer?.status ?? 200,
        headers: answer === undefined ? { ...said } : { ...answer.headers },
      };
      respond!(response, request);
      ok(!/[\r\n]/.test(String(answer === undefined ? "" : response.headers["location"])));
      equal(/[\r\n]/.test(String(response.headers["x-uri"])), false);
      if (answer !== undefined) return;
      const outgoing: OutgoingHead = { target, headers: { ...headers } };
      forward!(outgoing, request);
      ok(outgoing.target.startsWith("/") && !/[^\x21-\x7e]/.test(outgoing.target), outgoing.target);
      for (const own of ["host", "x-uri", "x-forwarded-prefix"]) ok(!/[\r\n]/.test(String(outgoing.headers[own])));
      ended!(request);
    }),
    { numRuns: 1000 },
  );
});
