import assert from "node:assert/strict";
import { createJar, type Answered, type SetCookie } from "../lab/clients.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage, type Site, type SiteChoices, type Stage } from "./stage.ts";

const STICKY = { affinity: "cookie" };

/** Sessions by cookie. */
export const affinityExamples = (subject: EngineSubject): void =>
  onStage(subject, "affinity", (add) => {
    const sticky = async (
      { site }: Stage,
      nginx: Readonly<Record<string, string>> = {},
      choices: SiteChoices = {},
    ): Promise<Site> => site({ pods: 3, ...choices, nginx: { ...STICKY, ...nginx } });
    const only = ({ cookies }: Answered): SetCookie => {
      assert.equal(cookies.length, 1, "one cookie is set");
      return cookies[0]!;
    };
    /** A client that asks until it is with this pod. */
    const clientOf = async (site: Site, pod: string, path?: string): Promise<ReturnType<typeof createJar>> => {
      for (let i = 0; i < 60; i++) {
        const jar = createJar();
        const answered = jar.take(await site.ask(path === undefined ? {} : { path }));
        if (answered.pod === pod) return jar;
      }
      throw new Error(`no new client came to ${pod} in 60 tries`);
    };

    add("CTL-154 affinity is of the Ingress that says it, and of no other of the host", async (stage) => {
      const { cluster, follow, pods, ask } = stage;
      cluster.service("with", pods);
      cluster.ingress("with", { nginx: STICKY, paths: [{ host: "both.test", path: "/with", service: "with" }] });
      cluster.ingress("without", { paths: [{ host: "both.test", path: "/without", service: "with" }] });
      await follow();
      assert.equal((await ask({ host: "both.test", path: "/with" })).cookies.length, 1);
      assert.equal((await ask({ host: "both.test", path: "/without" })).cookies.length, 0);
      const answered = new Set<string | undefined>();
      const jar = createJar();
      jar.take(await ask({ host: "both.test", path: "/with" }));
      for (let i = 0; i < 9; i++) {
        answered.add((await ask({ host: "both.test", path: "/without", headers: jar.header("/with") })).pod);
      }
      assert.equal(answered.size, 3);
    });

    add("CTL-157 the cookie's name is INGRESSCOOKIE, or what is said", async (stage) => {
      assert.equal(only(await (await sticky(stage)).ask()).name, "INGRESSCOOKIE");
      assert.equal(only(await (await sticky(stage, { "session-cookie-name": "route" })).ask()).name, "route");
    });

    add("CTL-158 the cookie's path is that of the rule, or what is said", async (stage) => {
      const deep = await sticky(stage, {}, { paths: [{ path: "/deep/er" }] });
      assert.equal(only(await deep.ask({ path: "/deep/er/and/more" })).attributes["path"], "/deep/er");
      assert.equal(only(await (await sticky(stage)).ask({ path: "/x/y" })).attributes["path"], "/");
      const said = await sticky(stage, { "session-cookie-path": "/said" });
      assert.equal(only(await said.ask()).attributes["path"], "/said");
    });

    add(
      "CTL-158 with expressions a path should be said: it is told, and the cookie is for every path until it is",
      async (stage) => {
        const paths = [{ path: "/r[0-9]", type: "ImplementationSpecific" as const }];
        const without = await sticky(stage, { "use-regex": "true" }, { paths });
        assert.equal(only(await without.ask({ path: "/r1" })).attributes["path"], "/");
        const told = stage.planner.faults.get(`default/${without.name}`) ?? [];
        assert.ok(told.some(({ field }) => field.includes("session-cookie-path")));
        const said = await sticky(stage, { "use-regex": "true", "session-cookie-path": "/" }, { paths });
        assert.equal(only(await said.ask({ path: "/r1" })).attributes["path"], "/");
      },
    );

    add("CTL-159 Domain and SameSite are set when they are said, and not else", async (stage) => {
      const usual = only(await (await sticky(stage)).ask()).attributes;
      assert.equal(usual["domain"], undefined);
      assert.equal(usual["samesite"], undefined);
      const said = only(await (await sticky(stage, { "session-cookie-domain": "example.test" })).ask()).attributes;
      assert.equal(said["domain"], "example.test");
      for (const value of ["None", "Lax", "Strict"]) {
        const { ask, askTls } = await sticky(stage, { "session-cookie-samesite": value });
        assert.equal(only(await askTls()).attributes["samesite"], value);
        // Browsers throw a cookie away that says None and not Secure.
        assert.equal(only(await ask()).attributes["samesite"], value === "None" ? undefined : value);
      }
    });

    add("CTL-159 SameSite=None is left out for browsers that take it for something else", async (stage) => {
      const { askTls } = await sticky(stage, {
        "session-cookie-samesite": "None",
        "session-cookie-conditional-samesite-none": "true",
      });
      const browsers: readonly [agent: string, want: string | undefined][] = [
        [
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
          "None",
        ],
        [
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/55.0.2883.87 Safari/537.36",
          undefined,
        ],
        [
          "Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1",
          undefined,
        ],
      ];
      for (const [agent, want] of browsers) {
        const { attributes } = only(await askTls({ headers: { "user-agent": agent } }));
        assert.equal(attributes["samesite"], want, agent);
      }
    });

    add(
      "CTL-160 Max-Age and Expires are both written when they are said; else it is a session's cookie",
      async (stage) => {
        const usual = only(await (await sticky(stage)).ask()).attributes;
        assert.equal(usual["max-age"], undefined);
        assert.equal(usual["expires"], undefined);
        const said = only(
          await (await sticky(stage, { "session-cookie-max-age": "3600", "session-cookie-expires": "7200" })).ask(),
        ).attributes;
        assert.equal(said["max-age"], "3600");
        const expires = (Date.parse(String(said["expires"])) - Date.now()) / 1000;
        assert.ok(expires > 7000 && expires < 7300, `${expires} seconds from now`);
      },
    );

    add("CTL-161 a failed pod is passed over for one request, and the session stays", async (stage) => {
      const [a, b] = [await stage.lab.pod(), await stage.lab.pod()];
      const site = await sticky(stage, {}, { pods: [a, b] });
      const jar = await clientOf(site, a.name);
      const how = { reset: "before" as const, pods: [a.name] };
      const failed = await site.ask({ headers: jar.header(), how });
      assert.equal(failed.pod, b.name);
      assert.equal(failed.cookies.length, 0, "the session is not moved");
      assert.equal((await site.ask({ headers: jar.header() })).pod, a.name);
    });

    add("CTL-161 session-cookie-change-on-failure moves the session for good", async (stage) => {
      const [a, b] = [await stage.lab.pod(), await stage.lab.pod()];
      const site = await sticky(stage, { "session-cookie-change-on-failure": "true" }, { pods: [a, b] });
      const jar = await clientOf(site, a.name);
      const how = { reset: "before" as const, pods: [a.name] };
      const failed = jar.take(await site.ask({ headers: jar.header(), how }));
      assert.equal(failed.pod, b.name);
      assert.equal(failed.cookies.length, 1);
      for (let i = 0; i < 4; i++) assert.equal((await site.ask({ headers: jar.header() })).pod, b.name);
    });

    add("CTL-162 Secure is as the request came, unless it is said; HttpOnly always", async (stage) => {
      const usual = await sticky(stage);
      const plain = only(await usual.ask()).attributes;
      assert.equal(plain["secure"], undefined);
      assert.equal(plain["httponly"], true);
      const secure = only(await usual.askTls()).attributes;
      assert.equal(secure["secure"], true);
      assert.equal(secure["httponly"], true);
      const forced = await sticky(stage, { "session-cookie-secure": "true" });
      assert.equal(only(await forced.ask()).attributes["secure"], true);
      const forbidden = await sticky(stage, { "session-cookie-secure": "false" });
      assert.equal(only(await forbidden.askTls()).attributes["secure"], undefined);
    });

    add("CTL-163 a first request gets a cookie, and with it the client stays and gets no other", async (stage) => {
      const site = await sticky(stage);
      const met = new Set<string | undefined>();
      for (let client = 0; client < 12; client++) {
        const jar = createJar();
        const first = jar.take(await site.ask());
        only(first);
        met.add(first.pod);
        for (let i = 0; i < 5; i++) {
          const again = await site.ask({ headers: jar.header() });
          assert.equal(again.pod, first.pod);
          assert.equal(again.cookies.length, 0);
        }
      }
      assert.equal(met.size, 3, "new clients are spread over all pods");
    });

    add("CTL-163 cookies of others are beside it, before and after, and untouched", async (stage) => {
      const site = await sticky(stage);
      const jar = createJar();
      const { pod } = jar.take(await site.ask({ how: { headers: [["set-cookie", "app=1; Path=/"]] } }));
      const cookie = `a=b; ${jar.header().cookie}; INGRESSCOOKIEX=no; c="d e"`;
      for (let i = 0; i < 4; i++) {
        const answered = await site.ask({ headers: { cookie }, how: { headers: [["set-cookie", "app=2; Path=/"]] } });
        assert.equal(answered.pod, pod);
        assert.deepEqual(answered.headers["set-cookie"], ["app=2; Path=/"]);
      }
    });

    add("CTL-164 an unknown, forged, stale or malformed cookie is as none", async (stage) => {
      const site = await sticky(stage);
      const good = only(await site.ask()).value;
      const forged = Buffer.from(site.pods[0]!.uid).toString("base64url");
      const flipped = (good.startsWith("A") ? "B" : "A") + good.slice(1);
      for (const value of [
        "",
        "x",
        forged,
        flipped,
        `${good}x`,
        good.slice(1),
        "%00%ff",
        '"',
        "a".repeat(4000),
        `"${good}`,
      ]) {
        const answered = await site.ask({ headers: { cookie: `INGRESSCOOKIE=${value}` } });
        assert.equal(answered.status, 200, value);
        assert.notEqual(only(answered).value, value);
      }
    });

    add("CTL-164 a cookie of one Service means nothing to another with other pods", async (stage) => {
      const one = await sticky(stage, {}, { pods: stage.pods.slice(0, 1) });
      const two = await sticky(stage, {}, { pods: stage.pods.slice(1) });
      const jar = createJar();
      jar.take(await one.ask());
      const answered = await two.ask({ headers: jar.header() });
      assert.equal(answered.status, 200);
      assert.equal(answered.cookies.length, 1);
    });

    add("CTL-165 the cookie says nothing of the pod: no address, no name, no UID, not even coded", async (stage) => {
      const site = await sticky(stage);
      for (let i = 0; i < 6; i++) {
        const answered = await site.ask();
        const { value } = only(answered);
        const pod = site.pods.find(({ name }) => name === answered.pod)!;
        const texts = [value, decodeURIComponent(value), Buffer.from(value, "base64url").toString("latin1")];
        const hex = Buffer.from(value, "base64url").toString("hex");
        for (const secret of [pod.address, pod.name, pod.uid, `${pod.port}`]) {
          for (const text of texts) assert.ok(!text.includes(secret), `${value} has ${secret}`);
        }
        assert.ok(
          !hex.includes(
            pod.address
              .split(".")
              .map((part) => Number(part).toString(16).padStart(2, "0"))
              .join(""),
          ),
        );
        assert.ok(!hex.includes(pod.uid.replaceAll("-", "")));
      }
    });

    add("CTL-166 a pod that is gone: a new choice and a new cookie; the others' sessions stay", async (stage) => {
      const site = await sticky(stage);
      const [a, b, c] = site.pods;
      const [ofA, ofB] = [await clientOf(site, a!.name), await clientOf(site, b!.name)];
      await site.endpoints([b!, c!]);
      const moved = ofA.take(await site.ask({ headers: ofA.header() }));
      assert.ok([b!.name, c!.name].includes(moved.pod ?? ""));
      only(moved);
      assert.equal((await site.ask({ headers: ofA.header() })).pod, moved.pod);
      const stayed = await site.ask({ headers: ofB.header() });
      assert.equal(stayed.pod, b!.name);
      assert.equal(stayed.cookies.length, 0);
    });

    for (const mode of ["balanced", "persistent"]) {
      add(`CTL-155 CTL-166 affinity-mode ${mode}: pods that are added move no session`, async (stage) => {
        const site = await sticky(stage, { "affinity-mode": mode }, { pods: stage.pods.slice(0, 2) });
        const clients: { jar: ReturnType<typeof createJar>; pod: string | undefined }[] = [];
        for (let i = 0; i < 20; i++) {
          const jar = createJar();
          clients.push({ jar, pod: jar.take(await site.ask()).pod });
        }
        const more = await Promise.all(Array.from({ length: 4 }, async () => stage.lab.pod()));
        await site.endpoints([...stage.pods, ...more]);
        for (const { jar, pod } of clients) {
          const answered = await site.ask({ headers: jar.header() });
          assert.equal(answered.pod, pod);
          assert.equal(answered.cookies.length, 0);
        }
        const met = new Set<string | undefined>();
        for (let i = 0; i < 30; i++) met.add((await site.ask()).pod);
        assert.ok(
          more.every(({ name }) => met.has(name)),
          "new clients come to the new pods",
        );
      });
    }

    add(
      "CTL-166 an address that another pod has got is another pod's: its sessions are not inherited",
      async (stage) => {
        const first = await stage.lab.pod();
        const other = await stage.lab.pod();
        const site = await sticky(stage, {}, { pods: [first, other] });
        const jar = await clientOf(site, first.name);
        await site.endpoints([other]);
        await first.kill();
        const heir = await stage.lab.pod({ address: first.address });
        await site.endpoints([heir, other]);
        const answered = jar.take(await site.ask({ headers: jar.header() }));
        assert.equal(answered.cookies.length, 1, "a new choice");
        assert.equal((await site.ask({ headers: jar.header() })).pod, answered.pod);
      },
    );

    add("CTL-166 a draining pod keeps its sessions and gets no new ones", async (stage) => {
      const site = await sticky(stage);
      const [a, b, c] = site.pods;
      const jar = await clientOf(site, a!.name);
      await site.endpoints([{ ...a!, terminating: true, serving: true }, b!, c!]);
      for (let i = 0; i < 3; i++) {
        const answered = await site.ask({ headers: jar.header() });
        assert.equal(answered.pod, a!.name);
        assert.equal(answered.cookies.length, 0);
      }
      for (let i = 0; i < 12; i++) assert.notEqual((await site.ask()).pod, a!.name);
    });

    add("CTL-166 changes of other Ingresses and Services move no session", async (stage) => {
      const site = await sticky(stage);
      const jar = createJar();
      const { pod } = jar.take(await site.ask());
      for (let i = 0; i < 5; i++) {
        await stage.site();
        await site.annotate({ ...STICKY, "proxy-read-timeout": `${60 + i}` });
        await site.endpoints([...site.pods].reverse());
        const answered = await site.ask({ headers: jar.header() });
        assert.equal(answered.pod, pod);
        assert.equal(answered.cookies.length, 0);
      }
    });

    add("CTL-167 sessions are of pods, whatever affinity the Service has", async (stage) => {
      const { cluster, follow, pods, ask } = stage;
      cluster.service("client-ip", pods, { spec: { sessionAffinity: "ClientIP" } });
      cluster.ingress("client-ip", { nginx: STICKY, paths: [{ host: "client-ip.test", service: "client-ip" }] });
      await follow();
      const met = new Set<string | undefined>();
      for (let i = 0; i < 12; i++) {
        const jar = createJar();
        const { pod } = jar.take(await ask({ host: "client-ip.test" }));
        met.add(pod);
        assert.equal((await ask({ host: "client-ip.test", headers: jar.header() })).pod, pod);
      }
      assert.equal(met.size, 3);
    });

    add("CTL-168 affinity works for server aliases, and without a host", async (stage) => {
      const { cluster, follow, pods, ask } = stage;
      await sticky(stage, { "server-alias": "sticky-alias.test" });
      cluster.service("hostless", pods);
      cluster.ingress("hostless", { nginx: STICKY, paths: [{ path: "/hostless", service: "hostless" }] });
      await follow();
      for (const [host, path] of [
        ["sticky-alias.test", "/"],
        ["anything.at.all.test", "/hostless"],
      ] as const) {
        const jar = createJar();
        const { pod } = jar.take(await ask({ host, path }));
        assert.notEqual(jar.header(path).cookie, undefined, host);
        for (let i = 0; i < 6; i++) {
          const answered = await ask({ host, path, headers: jar.header(path) });
          assert.equal(answered.pod, pod, host);
          assert.equal(answered.cookies.length, 0);
        }
      }
      cluster.remove("Ingress", "default/hostless");
      await follow();
    });

    /** A main Ingress and a canary of it, each with one pod of its own, both sticky unless told otherwise. */
    const canaried = async (
      { cluster, lab, follow, name, ask }: Stage,
      canary: Readonly<Record<string, string>>,
      main: Readonly<Record<string, string>> = STICKY,
    ) => {
      const own = name("canaried");
      const [stable, fresh] = [await lab.pod(), await lab.pod()];
      cluster.service(own, [stable]);
      cluster.service(`${own}-canary`, [fresh]);
      const host = `${own}.test`;
      cluster.ingress(own, { nginx: main, paths: [{ host, service: own }] });
      const weigh = async (annotations: Readonly<Record<string, string>>): Promise<void> => {
        cluster.ingress(`${own}-canary`, {
          nginx: { canary: "true", ...annotations },
          paths: [{ host, service: `${own}-canary` }],
        });
        await follow();
      };
      await weigh(canary);
      return {
        host,
        stable,
        fresh,
        weigh,
        ask: async (headers: Record<string, string> = {}) => ask({ host, headers }),
      };
    };

    add(
      "CTL-156 a client with a session stays with the canary, or with the main backend, whatever the weight becomes",
      async (stage) => {
        const { fresh, stable, weigh, ask } = await canaried(stage, { "canary-weight": "100" });
        const ofCanary = createJar();
        assert.equal(ofCanary.take(await ask()).pod, fresh.name);
        await weigh({ "canary-weight": "0" });
        const ofMain = createJar();
        assert.equal(ofMain.take(await ask()).pod, stable.name);
        assert.equal((await ask(ofCanary.header())).pod, fresh.name);
        await weigh({ "canary-weight": "100" });
        assert.equal((await ask(ofMain.header())).pod, stable.name);
        assert.equal((await ask(ofCanary.header())).pod, fresh.name);
      },
    );

    add("CTL-156 affinity-canary-behavior legacy: a client is drawn anew each time", async (stage) => {
      const { fresh, stable, weigh, ask } = await canaried(
        stage,
        { "canary-weight": "100", "affinity-canary-behavior": "legacy" },
        { ...STICKY, "affinity-canary-behavior": "legacy" },
      );
      const jar = createJar();
      assert.equal(jar.take(await ask()).pod, fresh.name);
      await weigh({ "canary-weight": "0", "affinity-canary-behavior": "legacy" });
      assert.equal((await ask(jar.header())).pod, stable.name);
    });

    add("canary-weight gives its share, a little more or less", async (stage) => {
      const { fresh, ask } = await canaried(stage, { "canary-weight": "30" }, {});
      let met = 0;
      for (let i = 0; i < 300; i++) if ((await ask()).pod === fresh.name) met += 1;
      // Five standard deviations of a fair draw.
      assert.ok(met > 50 && met < 130, `${met} of 300`);
    });

    add("canary-weight with canary-weight-total", async (stage) => {
      const { fresh, ask } = await canaried(stage, { "canary-weight": "1000", "canary-weight-total": "1000" }, {});
      for (let i = 0; i < 5; i++) assert.equal((await ask()).pod, fresh.name);
    });

    add("canary-by-header: always and never decide, else the weight", async (stage) => {
      const { fresh, stable, ask } = await canaried(
        stage,
        { "canary-by-header": "X-Canary", "canary-weight": "0" },
        {},
      );
      assert.equal((await ask({ "x-canary": "always" })).pod, fresh.name);
      assert.equal((await ask({ "x-canary": "never" })).pod, stable.name);
      assert.equal((await ask({ "x-canary": "other" })).pod, stable.name);
      assert.equal((await ask()).pod, stable.name);
    });

    add("canary-by-header-value and -pattern", async (stage) => {
      const value = await canaried(stage, { "canary-by-header": "X-Canary", "canary-by-header-value": "blue" }, {});
      assert.equal((await value.ask({ "x-canary": "blue" })).pod, value.fresh.name);
      assert.equal((await value.ask({ "x-canary": "always" })).pod, value.stable.name);
      const pattern = await canaried(
        stage,
        { "canary-by-header": "X-Canary", "canary-by-header-pattern": "^b.*e$" },
        {},
      );
      assert.equal((await pattern.ask({ "x-canary": "bee" })).pod, pattern.fresh.name);
      assert.equal((await pattern.ask({ "x-canary": "bees" })).pod, pattern.stable.name);
    });

    add("canary-by-cookie: always and never decide", async (stage) => {
      const { fresh, stable, ask } = await canaried(stage, { "canary-by-cookie": "try", "canary-weight": "0" }, {});
      assert.equal((await ask({ cookie: "x=1; try=always" })).pod, fresh.name);
      assert.equal((await ask({ cookie: "try=never" })).pod, stable.name);
      assert.equal((await ask({ cookie: "try=perhaps" })).pod, stable.name);
    });

    add("a canary without a pod is passed over", async (stage) => {
      const { stable, host, ask } = await canaried(stage, { "canary-weight": "100" }, {});
      stage.cluster.endpoints(`${host.replace(".test", "")}-canary`, []);
      await stage.follow();
      assert.equal((await ask()).pod, stable.name);
    });

    add("upstream-hash-by: one key, one pod; a pod that goes moves only its own keys", async (stage) => {
      const pods = await stage.lab.pods(5, { prefix: stage.name("hash") });
      const site = await stage.site({ pods, nginx: { "upstream-hash-by": "$request_uri" } });
      const where = async (): Promise<(string | undefined)[]> => {
        const found: (string | undefined)[] = [];
        for (let i = 0; i < 40; i++) found.push((await site.ask({ path: `/key-${i}?x` })).pod);
        return found;
      };
      const before = await where();
      assert.deepEqual(await where(), before);
      assert.ok(new Set(before).size >= 3, "keys are spread");
      await site.endpoints(pods.slice(0, 4));
      const after = await where();
      for (const [i, pod] of before.entries()) {
        if (pod !== pods[4]!.name) assert.equal(after[i], pod, `key ${i}`);
      }
    });

    add("upstream-hash-by a header", async (stage) => {
      const site = await stage.site({ pods: 3, nginx: { "upstream-hash-by": "$http_x_tenant" } });
      for (const tenant of ["a", "b", "c"]) {
        const pods = new Set<string | undefined>();
        for (let i = 0; i < 6; i++) pods.add((await site.ask({ headers: { "x-tenant": tenant } })).pod);
        assert.equal(pods.size, 1, tenant);
      }
    });
  });
