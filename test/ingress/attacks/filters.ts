import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { until } from "../../lab/until.ts";
import { onStage } from "../contract/stage.ts";
import { openHttp2, openRaw, openWebSocket } from "../lab/clients.ts";
import type { Door, EngineSubject } from "../lab/door.ts";
import { closedAdmin, RIGHT } from "./closed.ts";

const sha = (password: string): string => `{SHA}${createHash("sha1").update(password).digest("base64")}`;
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

/** What is answered to an extended CONNECT (RFC 8441). */
async function connected(
  door: Door,
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const session = await openHttp2(door.secure, host);
  try {
    if (session.remoteSettings.enableConnectProtocol !== true) await once(session, "remoteSettings");
    const stream = session.request(
      {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": path,
        ":authority": host,
        ":scheme": "https",
        "sec-websocket-version": "13",
        ...headers,
      },
      { endStream: false },
    );
    stream.on("error", () => undefined);
    const [given] = (await once(stream, "response")) as [{ ":status"?: number }];
    return given[":status"] ?? 0;
  } finally {
    session.destroy();
  }
}

/** What is asked of requests is asked of every kind of them. */
export const filterAttacks = (subject: EngineSubject): void =>
  onStage(subject, "attacks by ways around", (add) => {
    add("passwords, addresses and rates hold for WebSockets, by Upgrade and by CONNECT", async (stage) => {
      const { door, site } = stage;
      const { host } = await closedAdmin(stage);
      for (const path of ["/admin", "//admin", "/%61dmin", "/ADMIN", "/admin;x"]) {
        await assert.rejects(openWebSocket(door.plain, { host, path }), /refused with 401/, path);
        assert.equal(await connected(door, host, path), 401, path);
      }
      assert.equal(await connected(door, host, "/admin", RIGHT), 200);
      const closed = await site({ nginx: { "whitelist-source-range": "192.0.2.0/24" } });
      await assert.rejects(openWebSocket(door.plain, { host: closed.host }), /refused with 403/);
      assert.equal(await connected(door, closed.host, "/"), 403);
      const limited = await site({ nginx: { "limit-rpm": "1", "limit-burst-multiplier": "1" } });
      const statuses: string[] = [];
      for (let tries = 0; tries < 4; tries += 1) {
        await openWebSocket(door.plain, { host: limited.host }).then(
          (socket) => {
            socket.terminate();
            statuses.push("open");
          },
          (error: Error) => statuses.push(error.message),
        );
      }
      assert.ok(statuses.includes("refused with 503"), statuses.join());
      assert.equal(await connected(door, limited.host, "/"), 503);
      const refused = await site({ nginx: { "enable-modsecurity": "true" } });
      await assert.rejects(openWebSocket(door.plain, { host: refused.host }), /refused with 503/);
      assert.equal(await connected(door, refused.host, "/"), 503);
    });

    add("an Upgrade to anything, by any method, is asked for its password", async (stage) => {
      const { door, lab } = stage;
      const { host } = await closedAdmin(stage);
      await lab.forget();
      for (const [method, upgrade] of [
        ["GET", "websocket"],
        ["POST", "websocket"],
        ["OPTIONS", "websocket"],
        ["GET", "h2c"],
        ["GET", "bare"],
        ["GET", "websocket, h2c"],
        ["GET", "TLS/1.3"],
      ]) {
        const raw = await openRaw(door.plain);
        raw.write(
          `${method} /admin HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nGET /admin HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        );
        assert.match(await raw.has("\r\n\r\n"), /^HTTP\/1\.1 (?:401|400)/, `${method} ${upgrade}`);
        raw.close();
      }
      assert.deepEqual(await lab.seen(), []);
    });

    add("neither a canary nor an error page nor a preflight is a way in", async (stage) => {
      const { ask, lab, cluster, follow, name, pods, site } = stage;
      const { host } = await closedAdmin(stage);
      const canary = name("canary");
      cluster.service(canary, [pods[1]!]);
      cluster.ingress(canary, {
        nginx: { canary: "true", "canary-by-header": "x-canary", "canary-by-cookie": "c", "canary-weight": "100" },
        paths: [{ host, service: canary, path: "/admin" }],
      });
      await follow();
      await lab.forget();
      for (const headers of [{}, { "x-canary": "always" }, { cookie: "c=always" }, { "x-canary": "never" }])
        assert.equal((await ask({ host, path: "/admin", headers })).status, 401);
      for (const method of ["OPTIONS", "HEAD", "PROPFIND", "DELETE"])
        assert.equal(
          (await ask({ host, path: "/admin", method, headers: { origin: "http://evil.test" } })).status,
          401,
        );
      assert.deepEqual(await lab.seen(), []);
      assert.equal((await ask({ host, path: "/admin", headers: RIGHT })).pod, pods[1]!.name);

      const pages = name("pages");
      cluster.service(pages, [pods[2]!]);
      cluster.secret(pages, { auth: `ann:${sha("secret")}` });
      const barred = await site({
        nginx: {
          "auth-type": "basic",
          "auth-secret": pages,
          "custom-http-errors": "401,403,404,500,503",
          "default-backend": pages,
          "enable-cors": "true",
          "cors-allow-origin": "https://good.test",
          "cors-allow-credentials": "true",
        },
      });
      await lab.forget();
      assert.equal((await barred.ask()).status, 401);
      assert.equal((await barred.ask({ method: "OPTIONS" })).status, 401, "no preflight without an origin");
      const foreign = await barred.ask({ method: "OPTIONS", headers: { origin: "https://evil.test" } });
      assert.equal(foreign.status, 401);
      const own = await barred.ask({ method: "OPTIONS", headers: { origin: "https://good.test" }, path: "/x" });
      assert.equal(own.status, 204, "a preflight is answered here");
      assert.deepEqual(await lab.seen(), []);
      const page = await barred.ask({
        headers: { ...RIGHT, "x-code": "200", "x-format": "evil" },
        how: { status: 404, pods: [pods[0]!.name] },
      });
      assert.equal(page.pod, pods[2]!.name);
      const { headers } = page.seen;
      assert.deepEqual(
        headers.filter(([each]) => each.toLowerCase() === "x-code").map(([, value]) => value),
        ["404"],
      );
    });

    add("origins are those that are meant, and a * comes without credentials of anybody", async ({ site }) => {
      const { ask, annotate } = await site({
        nginx: { "enable-cors": "true", "cors-allow-origin": "https://*.good.test, https://good.test" },
      });
      const allowed = async (origin: string): Promise<string | undefined> =>
        (await ask({ headers: { origin } })).headers["access-control-allow-origin"];
      for (const origin of ["https://good.test", "https://a.good.test"]) assert.equal(await allowed(origin), origin);
      for (const origin of [
        "https://evilgood.test",
        "https://good.test.evil.test",
        "https://evil.test/.good.test",
        "https://evil.test#.good.test",
        "https://evil.test?.good.test",
        "https://evil.test\\.good.test",
        "https://a@evil.test:1.good.test",
        "http://good.test",
        "https://good.test:444",
        "https://a.b.good.test",
        "https://.good.test",
        "null",
        "https://good.test, https://evil.test",
      ])
        assert.equal(await allowed(origin), undefined, origin);
      await annotate({ "enable-cors": "true", "cors-allow-origin": "*", "cors-allow-credentials": "true" });
      assert.equal(
        await allowed("https://evil.test"),
        "*",
        "never the origin itself, which browsers would send cookies for",
      );
    });

    add(
      "redirects lead where somebody meant, whatever the path, and hold no line of the client's",
      async ({ site, door }) => {
        const paths = [
          "//evil.test/x",
          "/\\evil.test",
          "/%0d%0aset-cookie:%20a=b",
          "/@evil.test",
          "/.evil.test",
          "/%5cevil.test",
        ];
        for (const [nginx, start] of [
          [{ "permanent-redirect": "https://new.test$request_uri" }, /^https:\/\/new\.test\//],
          [{ "permanent-redirect": "https://new.test$uri" }, /^https:\/\/new\.test\//],
          [
            { "temporal-redirect": "https://new.test/?to=$escaped_request_uri&a=$http_user_agent" },
            /^https:\/\/new\.test\/\?to=/,
          ],
          [{ "force-ssl-redirect": "true" }, /^https:\/\/site-\d+\.test\//],
        ] as const) {
          const { host } = await site({ nginx });
          for (const path of paths) {
            const raw = await openRaw(door.plain);
            raw.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: a\u00e4b c\t\r\nConnection: close\r\n\r\n`);
            const said = await raw.over();
            raw.close();
            if (said.startsWith("HTTP/1.1 400")) continue;
            const location = /^location: (.*)\r$/im.exec(said)?.[1] ?? "";
            assert.match(said, /^HTTP\/1\.1 30\d/, `${JSON.stringify(nginx)} ${path}`);
            assert.match(location, start, `${JSON.stringify(nginx)} ${path}`);
            assert.doesNotMatch(said, /^set-cookie/im);
            assert.doesNotMatch(location, /[^!-~]/, location);
          }
        }
      },
    );

    add(
      "a password is right for its own list alone, and for as long as it is on it",
      async ({ cluster, site, follow, name }) => {
        const [one, other] = [name("list"), name("list")];
        cluster.secret(one, { auth: `ann:${sha("secret")}` });
        cluster.secret(other, { auth: `ann:${sha("different")}\nbob:${sha("secret")}` });
        const by = (secret: string) => site({ nginx: { "auth-type": "basic", "auth-secret": secret } });
        const [first, second] = [await by(one), await by(other)];
        assert.equal((await first.ask({ headers: basic("ann", "secret") })).status, 200);
        assert.equal((await second.ask({ headers: basic("ann", "secret") })).status, 401, "another list");
        assert.equal((await second.ask({ headers: basic("bob", "secret") })).status, 200);
        assert.equal((await first.ask({ headers: basic("bob", "secret") })).status, 401);
        cluster.secret(one, { auth: `ann:${sha("new")}` });
        await follow();
        assert.equal((await first.ask({ headers: basic("ann", "secret") })).status, 401, "it was changed");
        assert.equal((await first.ask({ headers: basic("ann", "new") })).status, 200);
        cluster.secret(one, { auth: `carl:${sha("new")}` });
        await follow();
        assert.equal((await first.ask({ headers: basic("ann", "new") })).status, 401, "she was taken off");
      },
    );

    add("an authority that does not say yes lets nobody in", async ({ lab, site, name }) => {
      const authority = await lab.pod();
      const at = (how: object): string =>
        `http://${authority.address}:${authority.port}/check?do=${encodeURIComponent(JSON.stringify(how))}`;
      const path = `/${name("unasked")}-`;
      for (const [how, status] of [
        [{ status: 302, headers: [["location", "http://evil.test/"]] }, 500],
        [{ status: 304 }, 500],
        [{ status: 404 }, 500],
        [{ status: 500 }, 500],
        [{ reset: "before" }, 500],
        [{ reset: "in-head" }, 500],
        [{ raw: "HTTP/1.1 abc OK\r\n\r\n" }, 500],
        [{ raw: "HTTP/1.1 099 OK\r\n\r\n" }, 500],
        [{ largeHeader: 500_000 }, 500],
        [
          {
            status: 401,
            headers: [
              ["set-cookie", "a=b"],
              ["www-authenticate", "x"],
            ],
          },
          401,
        ],
        [{ status: 403, headers: [["x-evil", "1"]] }, 403],
      ] as const) {
        const { ask } = await site({ nginx: { "auth-url": at(how) } });
        const answered = await ask({ path });
        assert.equal(answered.status, status, JSON.stringify(how).slice(0, 80));
        assert.equal(answered.headers["x-evil"], undefined);
      }
      const gone = await site({ nginx: { "auth-url": `http://${lab.address()}:9/` } });
      assert.equal((await gone.ask({ path })).status, 500);
      assert.deepEqual(
        (await lab.seenOf(path)).filter(({ pod }) => pod !== authority.name),
        [],
      );
    });

    add(
      "rates are counted by whom PROXY protocol names, and what a client says changes nothing",
      async ({ site, door }) => {
        const { host } = await site({ nginx: { "limit-rpm": "1", "limit-burst-multiplier": "2" } });
        const from = async (client: string, more = ""): Promise<number> => {
          const raw = await openRaw(door.proxied);
          raw.write(
            `PROXY TCP4 ${client} 198.51.100.1 4711 80\r\nGET / HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`,
          );
          const said = await raw.over();
          raw.close();
          return Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]);
        };
        const spent: number[] = [];
        for (let tries = 0; tries < 6; tries += 1)
          spent.push(await from("203.0.113.9", `X-Forwarded-For: 9.9.9.${tries}\r\n`));
        assert.equal(spent[0], 200);
        assert.equal(spent.at(-1), 503);
        assert.equal(await from("203.0.113.10"), 200, "somebody else");
      },
    );

    add("a mirror hears of nothing that was not let in", async ({ cluster, lab, site, name }) => {
      const mirror = await lab.pod();
      const list = name("mirrored");
      cluster.secret(list, { auth: `ann:${sha("secret")}` });
      const { ask } = await site({
        nginx: {
          "auth-type": "basic",
          "auth-secret": list,
          "mirror-target": `http://${mirror.address}:${mirror.port}$request_uri`,
        },
      });
      const path = `/${name("told")}-`;
      assert.equal((await ask({ path: `${path}no` })).status, 401);
      assert.equal((await ask({ path: `${path}yes`, headers: basic("ann", "secret") })).status, 200);
      await lab.sees(`${path}yes`, ({ pod }) => pod === mirror.name);
      assert.deepEqual(await lab.seenOf(`${path}no`), []);
    });

    add("a request whose client has gone is given up at its pod", async ({ site, door, lab, name }) => {
      const { host } = await site();
      const path = `/${name("left")}-`;
      const raw = await openRaw(door.plain);
      raw.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nx-do: {"hold":"never"}\r\n\r\n`);
      await lab.sees(path);
      raw.close();
      await until("the pod is let go", async () => (await lab.seenOf(path))[0]?.outcome === "aborted");
    });
  });
