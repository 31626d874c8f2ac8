import assert from "node:assert/strict";
import { headerOf } from "../lab/behaviour.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** What annotations change of requests and answers. */
export const rewritingExamples = (subject: EngineSubject): void =>
  onStage(subject, "rewriting", (add) => {
    add("rewrite-target with groups, and the query stays", async ({ site }) => {
      const { ask } = await site({
        paths: [{ path: "/app(/|$)(.*)", type: "ImplementationSpecific" }],
        nginx: { "use-regex": "true", "rewrite-target": "/$2" },
      });
      for (const [path, want] of [
        ["/app", "/"],
        ["/app/", "/"],
        ["/app/x/y?q=%2F", "/x/y?q=%2F"],
      ] as const) {
        assert.equal((await ask({ path })).seen.target, want, path);
      }
    });

    add("rewrite-target without groups is the whole path", async ({ site }) => {
      const { ask } = await site({ paths: [{ path: "/old" }], nginx: { "rewrite-target": "/new" } });
      assert.equal((await ask({ path: "/old/x?q=1" })).seen.target, "/new?q=1");
    });

    add("rewriting cannot make a path that climbs", async ({ site, lab }) => {
      const { ask } = await site({
        paths: [{ path: "/app/(.*)", type: "ImplementationSpecific" }],
        nginx: { "use-regex": "true", "rewrite-target": "/inner/$1" },
      });
      await lab.forget();
      for (const path of ["/app/%2e%2e/admin", "/app/..%2fadmin"]) {
        const { status } = await ask({ path });
        assert.ok([400, 404].includes(status), `${path}: ${status}`);
      }
      assert.deepEqual(await lab.seen(), []);
    });

    add("app-root sends / there, and nothing else", async ({ site }) => {
      const { ask, host } = await site({ nginx: { "app-root": "/start" } });
      const answered = await ask();
      assert.equal(answered.status, 302);
      assert.match(answered.headers.location ?? "", new RegExp(`^(http://${host}(:\\d+)?)?/start$`));
      assert.equal((await ask({ path: "/other" })).status, 200);
    });

    add("permanent-redirect and temporal-redirect", async ({ site }) => {
      const permanent = await site({ nginx: { "permanent-redirect": "https://elsewhere.test/x" } });
      const moved = await permanent.ask({ path: "/any?x" });
      assert.deepEqual([moved.status, moved.headers.location], [301, "https://elsewhere.test/x"]);
      const temporal = await site({ nginx: { "temporal-redirect": "https://elsewhere.test/y" } });
      const found = await temporal.ask();
      assert.deepEqual([found.status, found.headers.location], [302, "https://elsewhere.test/y"]);
      const coded = await site({
        nginx: { "permanent-redirect": "https://elsewhere.test/z", "permanent-redirect-code": "308" },
      });
      assert.equal((await coded.ask()).status, 308);
    });

    add("from-to-www-redirect: www to the host, or the other way", async ({ site, ask }) => {
      await site({ host: "apex.test", nginx: { "from-to-www-redirect": "true" } });
      const away = await ask({ host: "www.apex.test", path: "/a?b" });
      assert.ok([301, 308].includes(away.status), `${away.status}`);
      assert.equal(away.headers.location, "http://apex.test/a?b");
      await site({ host: "www.other-apex.test", nginx: { "from-to-www-redirect": "true" } });
      const to = await ask({ host: "other-apex.test", path: "/" });
      assert.equal(to.headers.location, "http://www.other-apex.test/");
    });

    add("upstream-vhost is what pods see as Host", async ({ site }) => {
      const { ask, host } = await site({ nginx: { "upstream-vhost": "inner.test" } });
      const { seen } = await ask();
      assert.equal(headerOf(seen, "host"), "inner.test");
      assert.equal(headerOf(seen, "x-forwarded-host"), host);
    });

    add("x-forwarded-prefix", async ({ site }) => {
      const { ask } = await site({ nginx: { "x-forwarded-prefix": "/outer" } });
      assert.equal(
        headerOf((await ask({ headers: { "x-forwarded-prefix": "/forged" } })).seen, "x-forwarded-prefix"),
        "/outer",
      );
    });

    add("custom-headers are in each answer", async ({ cluster, site }) => {
      cluster.configMap("more-headers", { "X-Frame-Options": "DENY", "X-Own": "a b" });
      const { ask } = await site({ nginx: { "custom-headers": "default/more-headers" } });
      const { headers } = await ask();
      assert.equal(headers["x-frame-options"], "DENY");
      assert.equal(headers["x-own"], "a b");
    });

    add("proxy-cookie-path and proxy-cookie-domain change what pods set", async ({ site }) => {
      const { ask } = await site({
        nginx: { "proxy-cookie-path": "/inner /outer", "proxy-cookie-domain": "inner.test outer.test" },
      });
      const headers: [string, string][] = [
        ["set-cookie", "a=1; Path=/inner/x; Domain=inner.test; HttpOnly"],
        ["set-cookie", "b=2; Path=/else"],
      ];
      const { cookies } = await ask({ how: { headers } });
      assert.equal(cookies[0]!.attributes["path"], "/outer/x");
      assert.equal(cookies[0]!.attributes["domain"], "outer.test");
      assert.equal(cookies[1]!.attributes["path"], "/else");
    });

    add("proxy-redirect-from and -to change Location", async ({ site }) => {
      const { ask } = await site({
        nginx: { "proxy-redirect-from": "http://inner.test/", "proxy-redirect-to": "https://outer.test/x/" },
      });
      const location = async (value: string): Promise<string | undefined> =>
        (await ask({ how: { status: 302, headers: [["location", value]] } })).headers.location;
      assert.equal(await location("http://inner.test/a?b"), "https://outer.test/x/a?b");
      assert.equal(await location("http://other.test/"), "http://other.test/");
    });

    add(
      "custom-http-errors are answered by the default backend, as it likes, told which",
      async ({ cluster, pods, site }) => {
        cluster.service("pages", [pods[2]!]);
        const {
          ask,
          pods: own,
          host,
        } = await site({
          nginx: { "custom-http-errors": "404,503", "default-backend": "pages" },
        });
        const missed = await ask({ path: "/missed?x", how: { status: 404, pods: [own[0]!.name] } });
        assert.equal(missed.pod, pods[2]!.name);
        assert.equal(missed.status, 200);
        assert.equal(headerOf(missed.seen, "x-code"), "404");
        assert.equal(headerOf(missed.seen, "x-original-uri"), "/missed?x");
        assert.equal(headerOf(missed.seen, "x-ingress-name"), host.split(".")[0]);
        assert.equal((await ask({ how: { status: 500, pods: [own[0]!.name] } })).pod, own[0]!.name);
        assert.equal((await ask()).pod, own[0]!.name);
      },
    );

    add("mirror-target: each request goes there too, and its answer nowhere", async ({ lab, site, name }) => {
      const mirror = await lab.pod();
      const { ask, pods } = await site({
        nginx: { "mirror-target": `http://${mirror.address}:${mirror.port}$request_uri` },
      });
      const path = `/${name("mirrored")}-`;
      const answered = await ask({ path: `${path}?x`, method: "POST", body: "copied" });
      assert.equal(answered.pod, pods[0]!.name);
      const seen = await lab.sees(path, ({ pod, length }) => pod === mirror.name && length === 6);
      assert.equal(seen.method, "POST");
      assert.equal(seen.length, 6);
      await mirror.kill();
      assert.equal((await ask({ path })).status, 200, "a mirror that is gone costs nothing");
    });

    add(
      "connection-proxy-header and snippets: an unsafe one changes nothing, and the route is served",
      async ({ site, planner }) => {
        const { ask, name } = await site({ nginx: { "configuration-snippet": "more_set_headers 'x-evil: 1';" } });
        const answered = await ask();
        assert.equal(answered.headers["x-evil"], undefined);
        assert.ok([200, 503].includes(answered.status));
        assert.ok((planner.faults.get(`default/${name}`)?.length ?? 0) > 0, "it is told");
      },
    );
  });
