import { deepEqual, equal, match } from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { createPasswords } from "../../src/ingress/filters/basic-auth/passwords.ts";
import { createFilters } from "../../src/ingress/filters/create.ts";
import { createAuthorities } from "../../src/ingress/filters/external-auth/authority.ts";
import type { RouteFilters } from "../../src/ingress/filters/filters.ts";
import type { RouteSettings } from "../../src/ingress/settings/settings.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { endpoint, openDoor, planFor } from "./exchange-door.ts";
import { until } from "../lab/until.ts";
import { routeWith } from "./filter-examples.ts";
import { ask, askHttp2, openHttp2 } from "./lab/clients.ts";

const host = "a.example";

/** Filters as an engine has them, with a thread and connections of their own. */
function ground() {
  const passwords = createPasswords();
  const authorities = createAuthorities();
  const filters = createFilters({ clock: systemClock, log: silentLog, ask: authorities.ask, passwords });
  return {
    of: (settings: Partial<RouteSettings>): RouteFilters => filters.of(routeWith(settings)),
    async [Symbol.asyncDispose]() {
      await Promise.all([passwords.close(), authorities.close()]);
    },
  };
}

/** A pod that says what it saw. */
const mirror = () =>
  endpoint(
    createServer((request, response) => {
      response.setHeader("set-cookie", "s=1; Path=/app/");
      response.setHeader("location", "http://internal/app");
      response.end(JSON.stringify({ target: request.url, headers: request.headers }));
    }),
  );

const seen = (text: string) => JSON.parse(text) as { target: string; headers: IncomingHttpHeaders };

test("a password is asked for at the door, over HTTP/1.1 and HTTP/2, and the pod sees it as it came", async () => {
  await using at = ground();
  await using pod = await mirror();
  const filters = at.of({
    basicAuth: { realm: "shop", users: new Map([["ana", "$1$saltsalt$O3SP939APF3hDIfP7rXqx1"]]) },
  });
  await using door = await openDoor({ endpoints: [pod.port] }, { filters });
  const authorization = `Basic ${Buffer.from("ana:pässword:1").toString("base64")}`;
  const without = await ask(door.place, { host });
  equal(without.status, 401);
  equal(without.headers["www-authenticate"], 'Basic realm="shop", charset="UTF-8"');
  equal((await ask(door.place, { host, headers: { authorization: "Basic YW5hOng=" } })).status, 401);
  const right = await ask(door.place, { host, headers: { authorization } });
  equal(right.status, 200);
  equal(seen(right.text).headers.authorization, authorization);
  const session = await openHttp2(door.second, host);
  equal((await askHttp2(session, { host })).status, 401);
  equal((await askHttp2(session, { host, headers: { authorization } })).status, 200);
  session.close();
});

test("an authority lets in and says who it is; the pod never hears it from the client", async () => {
  await using at = ground();
  await using pod = await mirror();
  await using authority = await endpoint(
    createServer((request, response) => {
      const isKnown = request.headers.cookie === "session=1";
      response.writeHead(isKnown ? 204 : 401, isKnown ? { "x-user": "ana", "set-cookie": "fresh=1" } : {}).end();
    }),
  );
  const filters = at.of({
    externalAuth: {
      url: `http://127.0.0.1:${authority.port}/`,
      method: undefined,
      signIn: "https://sso.example/start",
      signInParameter: "rd",
      responseHeaders: ["X-User"],
      requestHeaders: [],
      alwaysSetCookie: false,
    },
  });
  await using door = await openDoor({ endpoints: [pod.port] }, { filters });
  const unknown = await ask(door.place, { host, path: "/a?b=c", headers: { "x-user": "root" } });
  equal(unknown.status, 302);
  equal(unknown.headers.location, "https://sso.example/start?rd=http%3A%2F%2Fa.example%2Fa%3Fb%3Dc");
  const known = await ask(door.place, {
    host,
    method: "POST",
    body: "x",
    headers: { cookie: "session=1", "x-user": "root" },
  });
  equal(known.status, 200);
  equal(seen(known.text).headers["x-user"], "ana");
  deepEqual(known.headers["set-cookie"], ["s=1; Path=/app/", "fresh=1"]);
});

test("a preflight, a rewritten path, and what the pod says of where it is", async () => {
  await using at = ground();
  await using pod = await mirror();
  const filters = at.of({
    cors: {
      origins: ["https://*.example"],
      methods: "GET",
      headers: "X-A",
      expose: undefined,
      credentials: true,
      maxAge: 5,
    },
    rewrite: { target: "/v2" },
    cookies: { domain: undefined, path: { from: "/app/", to: "/" } },
    locations: { from: "http://internal/", to: "https://a.example/" },
    responseHeaders: [{ name: "X-Frame-Options", value: "DENY" }],
  });
  await using door = await openDoor({ endpoints: [pod.port] }, { filters });
  const headers = { origin: "https://b.example" };
  const preflight = await ask(door.place, { host, method: "OPTIONS", headers });
  equal(preflight.status, 204);
  equal(preflight.headers["access-control-allow-origin"], "https://b.example");
  equal(preflight.headers["content-length"], undefined);
  const { text, headers: got } = await ask(door.place, { host, path: "/a?b=c", headers });
  equal(seen(text).target, "/v2?b=c");
  equal(got["access-control-allow-credentials"], "true");
  match(String(got.vary), /Origin/);
  deepEqual(
    [got.location, got["set-cookie"], got["x-frame-options"]],
    ["https://a.example/app", ["s=1; Path=/"], "DENY"],
  );
});

test("requests under way are bounded, also when their clients go", async () => {
  await using at = ground();
  await using pod = await endpoint(createServer((request, response) => void (request.url === "/" && response.end())));
  const rateLimit = {
    perSecond: undefined,
    perMinute: undefined,
    burst: 5,
    connections: 1,
    rate: undefined,
    rateAfter: 0,
    except: [],
    status: 429,
  };
  await using door = await openDoor({ endpoints: [pod.port] }, { filters: at.of({ rateLimit }) });
  for (let count = 0; count < 3; count += 1) {
    const waiting = ask(door.place, { host, path: "/wait", patience: 300 }).catch(() => undefined);
    const answered = (status: number) => async () => (await ask(door.place, { host })).status === status;
    await until("the one that waits is counted", answered(429));
    await waiting;
    await until("the one that went is not", answered(200));
  }
});

test("somebody trusted says of whom and for which host a request is", async () => {
  await using at = ground();
  await using pod = await mirror();
  const filters = at.of({ httpsRedirect: 308, sources: { allow: ["192.0.2.7"], deny: [] } });
  await using door = await openDoor({ endpoints: [pod.port] }, { filters, trust: ["127.0.0.0/8"] });
  const headers = { "x-forwarded-for": "6.6.6.6, 192.0.2.7", "x-forwarded-host": "www.example:8080" };
  const plain = await ask(door.place, { host, headers });
  deepEqual([plain.status, plain.headers.location], [308, "https://www.example/"]);
  const secure = await ask(door.place, { host, headers: { ...headers, "x-forwarded-proto": "https" } });
  equal(secure.status, 200);
  equal(seen(secure.text).headers["x-forwarded-for"], "6.6.6.6, 192.0.2.7, 127.0.0.1");
  equal(seen(secure.text).headers.host, "www.example:8080");
  const other = { ...headers, "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7, 6.6.6.6" };
  equal((await ask(door.place, { host, headers: other })).status, 403);
});

test("no spelling of a path gets past the route that protects it, and what is sent on is as it came", async () => {
  await using at = ground();
  await using pod = await mirror();
  const choices = { endpoints: [pod.port] };
  await using door = await openDoor(choices, { filters: at.of({}) });
  const plan = planFor(choices);
  const [open] = plan.hosts.get(host)!.routes;
  // No backend: whoever gets there is told 503.
  const closed = { ...open!, id: "closed", match: { type: "prefix", path: "/admin" }, backend: undefined } as const;
  door.handler.follow({ ...plan, hosts: new Map([[host, { host, routes: [closed, open!] }]]) });
  for (const path of [
    "/admin",
    "/admin/x",
    "//admin",
    "/./admin",
    "/%61dmin",
    "/%2e/%61%64min/",
    "/admin//x",
    "/admin%2Fx/../x",
  ]) {
    const { status, text } = await ask(door.place, { host, path });
    equal(status >= 400, true, `${path}: ${text}`);
  }
  for (const path of ["/", "//a//b", "/a/./b", "/%41?x=/../y", "/adminx", "/ADMIN", "/a%2fb"]) {
    equal(seen((await ask(door.place, { host, path })).text).target, path);
  }
});
