import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { requestHead, routeWith } from "../../../../test/ingress/filter-examples.ts";
import { silentLog } from "../../../observe/log.ts";
import type { Answer, OutgoingHead, RequestHead, ResponseHead } from "../../request.ts";
import type { ExternalAuth, RouteSettings } from "../../settings/settings.ts";
import { createFilters } from "../create.ts";
import { createAuthorities } from "./authority.ts";

/** What an authority was asked last. */
let asked: { method: string; url: string; headers: IncomingHttpHeaders; body: string } | undefined;
let answering: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    asked = { method: request.method!, url: request.url!, headers: request.headers, body };
    answering(request, response);
  });
});
const authorities = createAuthorities(1000);
let port = 0;
before(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  ({ port } = server.address() as AddressInfo);
});
after(async () => {
  await authorities.close();
  server.closeAllConnections();
  server.close();
});

const says = (status: number, headers: Record<string, string | string[]> = {}) => {
  answering = (_, response) => response.writeHead(status, headers).end("body");
};

const filtersWith = (auth: Partial<ExternalAuth> = {}, more: Partial<RouteSettings> = {}) =>
  createFilters({
    clock: { now: () => 0, after: () => () => {} },
    log: silentLog,
    ask: authorities.ask,
    passwords: {
      verify: ({ password, hash }) => hash === `{PLAIN}${password.toString()}`,
      close: () => Promise.resolve(),
    },
  }).of(
    routeWith({
      externalAuth: {
        url: `http://127.0.0.1:${port}/check?x=1`,
        method: undefined,
        signIn: undefined,
        signInParameter: "rd",
        responseHeaders: ["X-User", "Authorization"],
        requestHeaders: [],
        alwaysSetCookie: false,
        ...auth,
      },
      ...more,
    }),
  );

const asks = async (auth: Partial<ExternalAuth>, request = requestHead("/a?b=c"), more: Partial<RouteSettings> = {}) =>
  filtersWith(auth, more).admit!(request);

test("an authority hears of the request, its headers, and no body", async () => {
  says(200);
  const request = requestHead("/a?b=c", {
    method: "POST",
    authority: "a.example:8080",
    scheme: "https",
    headers: {
      host: "a.example:8080",
      cookie: "session=1",
      authorization: "Bearer x",
      connection: "keep-alive, x-secret",
      "x-secret": "1",
      "content-length": "10",
      "content-type": "text/plain",
      "transfer-encoding": "chunked",
      "if-none-match": "x",
      "x-original-url": "http://evil.example/",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-user": "root",
      x_original_url: "http://evil.example/",
      expect: "100-continue",
    },
  });
  equal(await asks({ requestHeaders: [{ name: "X-Own", value: "$host" }] }, request), undefined);
  const { host, connection, ...headers } = asked!.headers;
  equal(host, `127.0.0.1:${port}`);
  ok(connection === undefined || connection === "keep-alive");
  deepEqual([asked!.method, asked!.url, asked!.body], ["GET", "/check?x=1", ""]);
  deepEqual(headers, {
    cookie: "session=1",
    authorization: "Bearer x",
    "content-type": "text/plain",
    "x-original-url": "https://a.example:8080/a?b=c",
    "x-original-method": "POST",
    "x-auth-request-redirect": "/a?b=c",
    "x-request-id": "1",
    "x-real-ip": "192.0.2.1",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-host": "a.example:8080",
    "x-forwarded-proto": "https",
    "x-forwarded-method": "POST",
    "x-forwarded-uri": "/a?b=c",
    "x-own": "a.example",
  });
});

test("the method and the URL are as the route says, with variables", async () => {
  says(204);
  await asks({ method: "HEAD", url: `http://127.0.0.1:${port}/$host/$request_method?to=$escaped_request_uri` });
  deepEqual([asked!.method, asked!.url], ["HEAD", "/a.example/GET?to=%2Fa%3Fb%3Dc"]);
  await asks({ method: "POST" });
  deepEqual([asked!.method, asked!.body], ["POST", ""]);
});

for (const [status, expected] of [
  [200, undefined],
  [204, undefined],
  [299, undefined],
  [401, 401],
  [403, 403],
  [302, 500],
  [304, 500],
  [400, 500],
  [404, 500],
  [429, 500],
  [500, 500],
  [503, 500],
] as const) {
  test(`an authority that says ${status} means ${expected ?? "leave"}`, async () => {
    says(status);
    equal((await asks({}))?.status, expected);
  });
}

test("401 tells how to log in, or sends to where one does", async () => {
  says(401, { "WWW-Authenticate": "Bearer realm=x", "X-User": "u" });
  deepEqual(await asks({}), { status: 401, headers: { "www-authenticate": "Bearer realm=x" } });
  const location = async (signIn: string, signInParameter = "rd", request = requestHead("/a?b=c&d")) =>
    ((await asks({ signIn, signInParameter }, request)) as Answer).headers?.["location"];
  const wanted = "http%3A%2F%2Fa.example%2Fa%3Fb%3Dc%26d";
  equal(await location("https://sso.example/start"), `https://sso.example/start?rd=${wanted}`);
  equal(await location("https://sso.example/start?x=1"), `https://sso.example/start?x=1&rd=${wanted}`);
  equal(await location("https://sso.example/start?"), `https://sso.example/start?rd=${wanted}`);
  equal(await location("https://sso.example/start", "back to"), `https://sso.example/start?back%20to=${wanted}`);
  equal(await location("https://$host/start?rd=$escaped_request_uri"), "https://a.example/start?rd=%2Fa%3Fb%3Dc%26d");
  equal(
    await location("https://sso.example/", "rd", requestHead("/\r\nX: y\ud800\xff", { authority: "a.example" })),
    "https://sso.example/?rd=http%3A%2F%2Fa.example%2F%250D%250AX%3A%2520y%25EF%25BF%25BD%25FF",
  );
});

test("what the authority says of the user goes to the backend; what the client says of it does not", async () => {
  says(200, { "x-user": "u", "x-other": "o" });
  const { admit, forward } = filtersWith();
  const request = requestHead();
  equal(await admit!(request), undefined);
  const outgoing: OutgoingHead = {
    target: "/",
    headers: { "x-user": "root", authorization: "Bearer x", "x-other": "mine" },
  };
  forward!(outgoing, request);
  deepEqual(outgoing.headers, { "x-user": "u", "x-other": "mine" });
});

test("an authority cannot say where a message ends", async () => {
  says(200, { "x-user": "u" });
  const { admit, forward } = filtersWith({
    responseHeaders: ["Content-Length", "Host", "Transfer-Encoding", "X-User", " "],
  });
  const request = requestHead();
  await admit!(request);
  const outgoing: OutgoingHead = { target: "/", headers: { host: "a.example", "content-length": "5" } };
  forward!(outgoing, request);
  deepEqual(outgoing.headers, { host: "a.example", "content-length": "5", "x-user": "u" });
});

const cookiesOf = async (status: number, alwaysSetCookie: boolean, own?: string[]) => {
  const { admit, respond } = filtersWith({ alwaysSetCookie, signIn: "https://sso.example/" });
  const request = requestHead();
  await admit!(request);
  const response: ResponseHead = { status, headers: own === undefined ? {} : { "set-cookie": own } };
  respond!(response, request);
  return response.headers["set-cookie"];
};

test("cookies of the authority go to the client, with failures only where they always do", async () => {
  says(200, { "set-cookie": ["a=1", "b=2"] });
  deepEqual(await cookiesOf(200, false), ["a=1", "b=2"]);
  deepEqual(await cookiesOf(200, false, ["c=3"]), ["c=3", "a=1", "b=2"]);
  equal(await cookiesOf(404, false), undefined);
  deepEqual(await cookiesOf(404, true), ["a=1", "b=2"]);
  says(401, { "set-cookie": "csrf=1" });
  deepEqual(await cookiesOf(302, false), ["csrf=1"]);
});

test("without a word of the authority nobody is let in: it is gone, silent, cut off, or its URL is none", async () => {
  deepEqual(await asks({ url: "http://127.0.0.1:1/" }), { status: 500 });
  deepEqual(await asks({ url: "nowhere" }), { status: 500 });
  deepEqual(await asks({ url: "http://$http_x_host/" }), { status: 500 });
  answering = (request) => request.socket.destroy();
  deepEqual(await asks({}), { status: 500 });
  answering = () => {};
  const began = performance.now();
  deepEqual(await asks({}), { status: 500 });
  ok(performance.now() - began < 20_000);
});

test("a connection that was closed there meanwhile is no failure", async () => {
  says(200);
  equal(await asks({}), undefined);
  let count = 0;
  answering = (request, response) => {
    count += 1;
    if (count === 1) request.socket.destroy();
    else response.writeHead(200).end();
  };
  equal(await asks({}), undefined);
  equal(count, 2);
});

const basic = { realm: "r", users: new Map([["a", "{PLAIN}b"]]) };
const sources = { allow: ["10.0.0.0/8"], deny: [] };
const known = { authorization: `Basic ${Buffer.from("a:b").toString("base64")}` };

for (const [what, satisfy, client, headers, authority, expected] of [
  ["address alone", "any", "10.0.0.1", {}, 401, undefined],
  ["password alone", "any", "11.0.0.1", known, 401, undefined],
  ["authority alone", "any", "11.0.0.1", {}, 200, undefined],
  ["nothing", "any", "11.0.0.1", {}, 403, 401],
  ["nothing, and a broken authority", "any", "11.0.0.1", {}, 503, 500],
  ["all", "all", "10.0.0.1", known, 200, undefined],
  ["all but the address", "all", "11.0.0.1", known, 200, 403],
  ["all but the password", "all", "10.0.0.1", {}, 200, 401],
  ["all but the authority", "all", "10.0.0.1", known, 403, 403],
] as const) {
  test(`satisfy ${satisfy} with ${what} is ${expected ?? "leave"}`, async () => {
    says(authority);
    const request: RequestHead = requestHead("/", { client, headers });
    const answer = await asks({}, request, { satisfy, sources, basicAuth: basic });
    equal(answer?.status, expected);
  });
}

test("with satisfy any, not being denied is not yet leave", async () => {
  says(401);
  const more = { satisfy: "any", sources: { allow: [], deny: ["10.0.0.0/8"] } } as const;
  equal(((await asks({}, requestHead(), more)) as Answer).status, 401);
  says(200);
  equal(await asks({}, requestHead("/", { client: "10.0.0.1" }), more), undefined);
});
