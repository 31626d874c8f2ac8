import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { headerOf } from "../lab/behaviour.ts";
import { openWebSocket } from "../lab/clients.ts";
import { TRUSTED_CLIENT, type EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

const run = promisify(execFile);
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const sha = (password: string): string => `{SHA}${createHash("sha1").update(password).digest("base64")}`;

/** Who may come in, and how often. */
export const accessExamples = (subject: EngineSubject): void =>
  onStage(subject, "access", (add) => {
    add(
      "basic auth: nobody without a right password, and the pod is not asked",
      async ({ cluster, lab, site, name }) => {
        const kinds = ["apr1", "5", "6"];
        const hashed = await Promise.all(
          kinds.map(async (kind) => {
            const { stdout } = await run("openssl", ["passwd", `-${kind}`, "secret"]);
            return `u${kind}:${stdout.trim()}`;
          }),
        );
        cluster.secret("users", {
          auth: [`sha:${sha("secret")}`, ...hashed].join("\n"),
        });
        const { ask } = await site({
          nginx: { "auth-type": "basic", "auth-secret": "users", "auth-realm": "Staff only" },
        });
        const path = `/${name("barred")}-`;
        for (const headers of [
          {},
          basic("sha", "wrong"),
          basic("nobody", "secret"),
          basic("sha", ""),
          { authorization: "Basic %%%" },
          { authorization: "Bearer secret" },
          basic("uapr1", "wrong"),
        ]) {
          const answered = await ask({ path, headers });
          assert.equal(answered.status, 401, JSON.stringify(headers));
          assert.match(answered.headers["www-authenticate"] ?? "", /^Basic realm="Staff only"/);
        }
        assert.deepEqual(await lab.seenOf(path), []);
        for (const user of ["sha", ...kinds.map((kind) => `u${kind}`)]) {
          assert.equal((await ask({ headers: basic(user, "secret") })).status, 200, user);
        }
      },
    );

    add(
      "basic auth with a Secret that is missing closes the route, and the Secret opens it",
      async ({ cluster, site, follow }) => {
        const { ask } = await site({ nginx: { "auth-type": "basic", "auth-secret": "users-to-come" } });
        assert.equal((await ask({ headers: basic("a", "b") })).status, 503);
        cluster.secret("users-to-come", { auth: `a:${sha("b")}` });
        await follow();
        assert.equal((await ask()).status, 401);
        assert.equal((await ask({ headers: basic("a", "b") })).status, 200);
      },
    );

    add("basic auth holds for WebSocket, too", async ({ cluster, site, door }) => {
      cluster.secret("ws-users", { auth: `a:${sha("b")}` });
      const { host } = await site({ nginx: { "auth-type": "basic", "auth-secret": "ws-users" } });
      await assert.rejects(openWebSocket(door.plain, { host }), /refused with 401/);
      const socket = await openWebSocket(door.plain, { host, headers: basic("a", "b") });
      socket.terminate();
    });

    add(
      "what we cannot do that protects closes the route: client certificates, ModSecurity, digest",
      async ({ site }) => {
        for (const nginx of [
          { "auth-tls-secret": "default/ca", "auth-tls-verify-client": "on" },
          { "auth-type": "digest", "auth-secret": "x" },
          { "enable-modsecurity": "true" },
        ]) {
          const { ask, askTls } = await site({ nginx });
          assert.equal((await ask()).status, 503, JSON.stringify(nginx));
          assert.equal((await askTls()).status, 503, JSON.stringify(nginx));
        }
      },
    );

    add(
      "external auth: 2xx lets in with its headers, 401 and 403 are the client's, anything else 500",
      async ({ lab, site, name }) => {
        const authority = await lab.pod();
        const path = `/${name("asked")}-`;
        const url = (how: object): string =>
          `http://${authority.address}:${authority.port}/check?do=${encodeURIComponent(JSON.stringify(how))}`;
        const { ask, annotate } = await site({
          nginx: {
            "auth-url": url({
              headers: [
                ["x-user", "ann"],
                ["x-hidden", "1"],
              ],
            }),
            "auth-response-headers": "X-User",
          },
        });
        const { seen, status } = await ask({ path: `${path}?q=1`, headers: { cookie: "s=1", "x-user": "forged" } });
        assert.equal(status, 200);
        assert.equal(headerOf(seen, "x-user"), "ann");
        assert.equal(headerOf(seen, "x-hidden"), undefined);
        const asked = (await lab.seen()).filter(({ pod }) => pod === authority.name).at(-1)!;
        assert.equal(headerOf(asked, "cookie"), "s=1");
        assert.match(
          headerOf(asked, "x-original-url") ?? headerOf(asked, "x-auth-request-redirect") ?? "",
          new RegExp(path),
        );
        assert.equal(headerOf(asked, "x-original-method"), "GET");
        for (const [given, want] of [
          [401, 401],
          [403, 403],
          [500, 500],
          [404, 500],
        ] as const) {
          await annotate({ "auth-url": url({ status: given, body: "" }) });
          assert.equal((await ask({ path })).status, want, `${given}`);
        }
        await authority.kill();
        await annotate({ "auth-url": url({}) });
        assert.equal((await ask({ path })).status, 500);
      },
    );

    add(
      "external auth: auth-signin sends away those without leave, and says where they wanted to go",
      async ({ lab, site }) => {
        const authority = await lab.pod();
        const { ask, host } = await site({
          nginx: {
            "auth-url": `http://${authority.address}:${authority.port}/?do=${encodeURIComponent('{"status":401}')}`,
            "auth-signin": "https://login.test/start",
          },
        });
        const answered = await ask({ path: "/deep?x=1" });
        assert.equal(answered.status, 302);
        const location = new URL(answered.headers.location ?? "");
        assert.equal(location.origin + location.pathname, "https://login.test/start");
        assert.match(location.searchParams.get("rd") ?? "", new RegExp(`^http://${host}(:\\d+)?/deep\\?x=1$`));
      },
    );

    add("allow and deny lists: by the client's address, or by whom somebody trusted says", async ({ site }) => {
      const { ask, annotate } = await site({ nginx: { "whitelist-source-range": "203.0.113.0/24, 127.0.7.0/24" } });
      assert.equal((await ask()).status, 403);
      assert.equal((await ask({ localAddress: "127.0.7.9" })).status, 200);
      const headers = { "x-forwarded-for": "203.0.113.5" };
      assert.equal((await ask({ headers })).status, 403, "spoofed");
      assert.equal((await ask({ headers, localAddress: TRUSTED_CLIENT })).status, 200);
      await annotate({ "denylist-source-range": "127.0.7.0/24" });
      assert.equal((await ask()).status, 200);
      assert.equal((await ask({ localAddress: "127.0.7.9" })).status, 403);
    });

    add("satisfy any: an allowed address or a password", async ({ cluster, site }) => {
      cluster.secret("any-users", { auth: `a:${sha("b")}` });
      const { ask } = await site({
        nginx: {
          satisfy: "any",
          "whitelist-source-range": "127.0.7.0/24",
          "auth-type": "basic",
          "auth-secret": "any-users",
        },
      });
      assert.equal((await ask({ localAddress: "127.0.7.9" })).status, 200);
      assert.equal((await ask()).status, 401);
      assert.equal((await ask({ headers: basic("a", "b") })).status, 200);
    });

    add(
      "limit-rps: as many at once as it says and its burst, of each address; more are 503; then again",
      async ({ site }) => {
        const { ask } = await site({ nginx: { "limit-rps": "2", "limit-burst-multiplier": "2" } });
        const from = async (localAddress: string): Promise<number[]> =>
          Promise.all(Array.from({ length: 12 }, async () => (await ask({ localAddress })).status));
        const statuses = await from("127.0.8.1");
        const passed = statuses.filter((status) => status === 200).length;
        assert.ok(passed >= 4 && passed <= 8, statuses.join(" "));
        assert.ok(statuses.every((status) => status === 200 || status === 503));
        assert.equal((await ask({ localAddress: "127.0.8.2" })).status, 200, "another address");
        await sleep(1200);
        assert.equal((await ask({ localAddress: "127.0.8.1" })).status, 200);
      },
    );

    add("limit-whitelist: not bounded", async ({ site }) => {
      const { ask } = await site({ nginx: { "limit-rps": "1", "limit-whitelist": "127.0.8.0/24" } });
      for (let i = 0; i < 15; i++) assert.equal((await ask({ localAddress: "127.0.8.3" })).status, 200);
    });

    add("limit-connections: of one address under way", async ({ site, lab, name }) => {
      const { ask } = await site({ nginx: { "limit-connections": "2" } });
      const gate = name("gate");
      const held = [ask({ how: { hold: gate } }), ask({ how: { hold: gate } })];
      while ((await lab.seenOf(gate)).length < 2) await sleep(10);
      assert.equal((await ask()).status, 503);
      assert.equal((await ask({ localAddress: "127.0.8.4" })).status, 200);
      await lab.release(gate);
      await Promise.all(held);
      let status = 503;
      for (let i = 0; i < 100 && status === 503; i++) {
        ({ status } = await ask());
        if (status === 503) await sleep(20);
      }
      assert.equal(status, 200);
    });

    add(
      "proxy-body-size: more is 413, whether it is said before or not; as much is fine",
      async ({ site, lab, name }) => {
        const { ask } = await site({ nginx: { "proxy-body-size": "10k" } });
        assert.equal((await ask({ method: "POST", body: "x".repeat(10_240) })).seen.length, 10_240);
        const path = `/${name("large")}-`;
        assert.equal((await ask({ path, method: "POST", body: "x".repeat(10_241) })).status, 413);
        assert.deepEqual(await lab.seenOf(path), []);
        const chunked = await ask({
          method: "POST",
          body: "x".repeat(200_000),
          headers: { "transfer-encoding": "chunked" },
        });
        assert.equal(chunked.status, 413);
      },
    );

    add("CORS: preflight is answered here, and answers say who may read them", async ({ site, lab, name }) => {
      const { ask } = await site({
        nginx: {
          "enable-cors": "true",
          "cors-allow-origin": "https://a.test, https://*.b.test",
          "cors-allow-methods": "GET, PUT",
          "cors-allow-headers": "X-Own",
          "cors-expose-headers": "X-Seen",
          "cors-max-age": "600",
        },
      });
      const path = `/${name("cors")}-`;
      const preflight = await ask({
        path,
        method: "OPTIONS",
        headers: { origin: "https://x.b.test", "access-control-request-method": "PUT" },
      });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers["access-control-allow-origin"], "https://x.b.test");
      assert.equal(preflight.headers["access-control-allow-methods"], "GET, PUT");
      assert.equal(preflight.headers["access-control-allow-headers"], "X-Own");
      assert.equal(preflight.headers["access-control-max-age"], "600");
      assert.equal(preflight.headers["access-control-allow-credentials"], "true");
      assert.deepEqual(await lab.seenOf(path), []);
      const own = await ask({ headers: { origin: "https://a.test" } });
      assert.equal(own.headers["access-control-allow-origin"], "https://a.test");
      assert.equal(own.headers["access-control-expose-headers"], "X-Seen");
      const stranger = await ask({ headers: { origin: "https://evil.test" } });
      assert.equal(stranger.status, 200);
      assert.equal(stranger.headers["access-control-allow-origin"], undefined);
    });
  });
