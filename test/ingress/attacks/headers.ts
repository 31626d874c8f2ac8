import assert from "node:assert/strict";
import { onStage } from "../contract/stage.ts";
import { headerOf, type Seen } from "../lab/behaviour.ts";
import { askHttp2, openHttp2, openRaw } from "../lab/clients.ts";
import { TRUSTED_CLIENT, type EngineSubject } from "../lab/door.ts";
import { closedAdmin, RIGHT } from "./closed.ts";

const FORGED = {
  "x-forwarded-for": "203.0.113.66",
  "x-forwarded-host": "evil.test",
  "x-forwarded-proto": "gopher",
  "x-forwarded-port": "1",
  "x-forwarded-scheme": "gopher",
  "x-forwarded-server": "evil.test",
  "x-forwarded-prefix": "/evil",
  "x-scheme": "gopher",
  "x-real-ip": "203.0.113.66",
  forwarded: "for=203.0.113.66",
  "ssl-client-verify": "SUCCESS",
  "ssl-client-subject-dn": "CN=root",
  proxy: "http://evil.test",
  "x_forwarded-for": "203.0.113.66",
  X_Real_IP: "203.0.113.66",
  content_length: "5",
};

const saysForged = ({ headers }: Seen): string[] =>
  headers
    .filter(([name]) => name.toLowerCase() !== "x-original-forwarded-for")
    .filter(([, value]) => /203\.0\.113\.66|evil|gopher|SUCCESS|CN=root/.test(value))
    .map(([name]) => name);

/** Nobody passes for somebody else. */
export const headerAttacks = (subject: EngineSubject): void =>
  onStage(subject, "attacks by headers", (add) => {
    add("what a client says of itself reaches no pod as our word, by either protocol", async ({ site, door }) => {
      const { ask, host } = await site();
      assert.deepEqual(saysForged((await ask({ headers: FORGED })).seen), []);
      const session = await openHttp2(door.plain, host);
      const { seen } = await askHttp2(session, { headers: FORGED });
      session.destroy();
      assert.deepEqual(saysForged(seen), []);
      assert.equal(headerOf(seen, "x-real-ip"), "127.0.0.1");
    });

    add(
      "of somebody trusted only what is well formed is believed, and only the last that is not trusted",
      async ({ site }) => {
        const { ask, host } = await site();
        const by = async (headers: Record<string, string>): Promise<Seen> =>
          (await ask({ localAddress: TRUSTED_CLIENT, headers })).seen;
        const told = await by({ "x-forwarded-for": "6.6.6.6, 203.0.113.5, 127.0.99.7" });
        assert.equal(headerOf(told, "x-real-ip"), "203.0.113.5");
        for (const odd of ["evil", "203.0.113.5 evil", "<script>", "", ",", "203.0.113.5,,", "::ffff:999.1.1.1"]) {
          const ip = headerOf(await by({ "x-forwarded-for": odd }), "x-real-ip");
          assert.match(ip ?? "", /^(?:127\.0\.99\.\d+|203\.0\.113\.5)$/, odd);
        }
        const odd = await by({ "x-forwarded-host": 'a b"/', "x-forwarded-proto": "gopher", "x-forwarded-port": "-1" });
        assert.equal(headerOf(odd, "x-forwarded-host"), host);
        assert.equal(headerOf(odd, "host"), host);
        assert.equal(headerOf(odd, "x-forwarded-proto"), "http");
        assert.match(headerOf(odd, "x-forwarded-port") ?? "", /^\d+$/);
      },
    );

    add("Connection takes nothing away that we vouch for, nor what somebody asks with", async (stage) => {
      const { ask, lab, name, site, cluster } = stage;
      const named =
        "X-Real-IP, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Request-ID, Host, Content-Length, close";
      const plain = await site();
      const { seen } = await plain.ask({ method: "POST", body: "12345", headers: { connection: named } });
      assert.equal(headerOf(seen, "x-real-ip"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-forwarded-for"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-forwarded-proto"), "http");
      assert.equal(headerOf(seen, "x-forwarded-host"), plain.host);
      assert.equal(headerOf(seen, "host"), plain.host);
      assert.notEqual(headerOf(seen, "x-request-id"), undefined);
      assert.equal(seen.length, 5);
      // The password is checked all the same, and an authority's word cannot be taken away.
      const { host } = await closedAdmin(stage);
      const hop = { connection: "authorization, cookie, close" };
      assert.equal((await ask({ host, path: "/admin", headers: hop })).status, 401);
      assert.equal((await ask({ host, path: "/admin", headers: { ...hop, ...RIGHT } })).status, 200);
      const authority = await lab.pod();
      const how = encodeURIComponent(JSON.stringify({ headers: [["x-user", "ann"]] }));
      const asked = await site({
        nginx: {
          "auth-url": `http://${authority.address}:${authority.port}/${name("hop")}?do=${how}`,
          "auth-response-headers": "X-User, X-Groups",
        },
      });
      const { seen: through } = await asked.ask({
        headers: { connection: "x-user, close", "x-user": "root", "x-groups": "wheel", x_groups: "wheel" },
      });
      assert.equal(headerOf(through, "x-user"), "ann");
      assert.equal(headerOf(through, "x-groups"), undefined);
      assert.equal(headerOf(through, "x_groups"), undefined);
      void cluster;
    });

    add("X-Original-URL and its kin choose no route", async (stage) => {
      const { ask } = stage;
      const { host } = await closedAdmin(stage);
      const headers = {
        "x-original-url": "/open",
        "x-rewrite-url": "/open",
        "x-forwarded-uri": "/open",
        "x-original-uri": "/open",
        "x-http-method-override": "OPTIONS",
      };
      assert.equal((await ask({ host, path: "/admin", headers })).status, 401);
      const { status } = await ask({ host, path: "/open", headers: { "x-original-url": "/admin" } });
      assert.equal(status, 200);
    });

    add(
      "one Host is meant, or none: what is said twice in two ways reaches nobody's pod as another's",
      async (stage) => {
        const { door, lab, site } = stage;
        const one = await site();
        const other = await site();
        await lab.forget();
        const heads = [
          `GET /h1 HTTP/1.1\r\nHost: ${one.host}\r\nHost: ${other.host}\r\n`,
          `GET /h2 HTTP/1.1\r\nHost: ${one.host}, ${other.host}\r\n`,
          `GET /h3 HTTP/1.1\r\nHost: ${one.host} ${other.host}\r\n`,
          `GET http://${one.host}/h4 HTTP/1.1\r\nHost: ${other.host}\r\n`,
          `GET http://${one.host}@${other.host}/h5 HTTP/1.1\r\nHost: ${one.host}\r\n`,
          `GET /h6 HTTP/1.1\r\nHost: ${one.host}/\r\n`,
          `GET /h7 HTTP/1.1\r\nHost: ${one.host}:80:80\r\n`,
          `GET /h8 HTTP/1.1\r\nHost: ${one.host}#${other.host}\r\n`,
          `GET /h9 HTTP/1.1\r\n Host: ${one.host}\r\nHost: ${other.host}\r\n`,
          `GET /h10 HTTP/1.1\r\nHost : ${one.host}\r\nHost: ${other.host}\r\n`,
          `GET /h11 HTTP/1.1\r\nHost:\r\n`,
          `GET /h12 HTTP/1.1\r\n`,
        ];
        for (const head of heads) {
          const raw = await openRaw(door.plain);
          raw.write(`${head}Connection: close\r\n\r\n`);
          const said = await raw.over();
          raw.close();
          const seen = (await lab.seen()).find(({ target }) => head.includes(` ${target} `) || head.includes(target));
          if (seen === undefined) assert.match(said, /^(?:HTTP\/1\.1 4\d\d|$)/, head);
          else {
            const hosts = seen.headers.filter(([name]) => name.toLowerCase() === "host").map(([, value]) => value);
            assert.equal(hosts.length, 1, head);
            assert.ok([one.host, other.host].includes(hosts[0]!), `${head}: ${hosts[0]}`);
            assert.equal(headerOf(seen, "x-forwarded-host"), hosts[0], head);
          }
          await lab.forget();
        }
      },
    );

    add(
      "cookies of 8 kB, hundreds of names, and many of ours cost a client nothing but a new choice",
      async ({ site }) => {
        const { ask } = await site({
          pods: 3,
          nginx: { affinity: "cookie", "session-cookie-name": "sid" },
        });
        const first = await ask();
        const sid = first.cookies[0]!.value;
        const many = Array.from({ length: 400 }, (_, at) => `c${at}=v${at}`).join("; ");
        for (const cookie of [
          `x=${"y".repeat(8000)}; sid=${sid}`,
          `${many}; sid=${sid}`,
          `sid=${"A".repeat(22)}; sid=${sid}; sid=zzz`,
          `sid="${sid}"`,
          `${"sid=;".repeat(500)} sid=${sid}`,
        ]) {
          const answered = await ask({ headers: { cookie } });
          assert.equal(answered.pod, first.pod, cookie.slice(0, 60));
          assert.equal(answered.cookies.length, 0, cookie.slice(0, 60));
        }
        for (const cookie of [
          `sid=${sid}x`,
          "sid=../../x",
          "sid=127.0.0.1:8080",
          "sid=__proto__",
          "sid=",
          "sid",
          `SID=${sid}`,
        ]) {
          const answered = await ask({ headers: { cookie } });
          assert.equal(answered.status, 200);
          assert.equal(answered.cookies.length, 1, cookie);
        }
      },
    );
  });
