import assert from "node:assert/strict";
import type { LabPod } from "../lab/backends.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage, type Site, type Stage } from "./stage.ts";

/** When another pod is asked, and when none must be. */
export const retryExamples = (subject: EngineSubject): void =>
  onStage(subject, "retries", (add) => {
    const pair = async (
      stage: Stage,
      nginx: Readonly<Record<string, string>> = {},
    ): Promise<{ site: Site; good: LabPod; bad: LabPod }> => {
      const [good, bad] = [await stage.lab.pod(), await stage.lab.pod()];
      const site = await stage.site({ pods: [good, bad], nginx });
      return { site, good, bad };
    };
    /** So often that both pods have had their turn. */
    const ROUNDS = 6;

    add("a pod that refuses connections is passed over, for every method", async (stage) => {
      const { site, good, bad } = await pair(stage);
      await bad.kill();
      for (let i = 0; i < ROUNDS; i++) {
        assert.equal((await site.ask()).pod, good.name);
        // Nothing of it was sent to anybody: it may be asked again.
        const { pod, seen } = await site.ask({ method: "POST", body: "once" });
        assert.equal(pod, good.name);
        assert.equal(seen.length, 4);
      }
    });

    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      add(`${method} is tried again when a pod resets before it answers`, async (stage) => {
        const { site, good, bad } = await pair(stage);
        for (let i = 0; i < ROUNDS; i++) {
          const answered = await site.ask({ method, how: { reset: "before", pods: [bad.name] } });
          assert.equal(answered.status, 200);
          assert.equal(answered.pod, good.name);
        }
      });
    }

    for (const method of ["POST", "PATCH", "LOCK"]) {
      add(`${method} that a pod has got is not sent to another: 502, and seen once`, async (stage) => {
        const { site, bad } = await pair(stage);
        let failed = 0;
        for (let i = 0; i < ROUNDS; i++) {
          const mark = stage.name("once");
          const { status } = await site.ask({
            method,
            path: `/${mark}-`,
            body: "act on it",
            how: { reset: "before", pods: [bad.name] },
          });
          assert.ok([200, 502].includes(status));
          if (status === 502) failed += 1;
          assert.equal((await stage.lab.seenOf(`/${mark}-`)).length, 1);
        }
        assert.ok(failed > 0, "the bad pod had its turn");
      });
    }

    add("POST is tried again where proxy-next-upstream says non_idempotent, with its whole body", async (stage) => {
      const { site, good, bad } = await pair(stage, { "proxy-next-upstream": "error timeout non_idempotent" });
      for (let i = 0; i < ROUNDS; i++) {
        const answered = await site.ask({
          method: "POST",
          body: "x".repeat(10_000),
          how: { reset: "before", pods: [bad.name] },
        });
        assert.equal(answered.status, 200);
        assert.equal(answered.pod, good.name);
        assert.equal(answered.seen.length, 10_000);
      }
    });

    add("proxy-next-upstream off: a pod that refuses connections is the client's failure", async (stage) => {
      const { site, good, bad } = await pair(stage, { "proxy-next-upstream": "off" });
      await Promise.all([good.kill(), bad.kill()]);
      for (let i = 0; i < 2; i++) assert.equal((await site.ask()).status, 502);
    });

    add("proxy-next-upstream off: a request that a pod has got is not sent again", async (stage) => {
      const pods = await stage.lab.pods(4);
      const site = await stage.site({ pods, nginx: { "proxy-next-upstream": "off" } });
      // Over connections that were kept, too.
      for (let i = 0; i < pods.length; i++) assert.equal((await site.ask()).status, 200);
      const mark = stage.name("off");
      assert.equal((await site.ask({ path: `/${mark}-`, how: { reset: "before" } })).status, 502);
      assert.equal((await stage.lab.seenOf(`/${mark}-`)).length, 1);
    });

    add("proxy-next-upstream http_503: another is asked; without it the answer is the client's", async (stage) => {
      const how = (bad: LabPod) => ({ status: 503, body: "busy", pods: [bad.name] });
      const told = await pair(stage, { "proxy-next-upstream": "error http_503" });
      for (let i = 0; i < ROUNDS; i++) assert.equal((await told.site.ask({ how: how(told.bad) })).status, 200);
      const untold = await pair(stage);
      const texts = new Set<string>();
      for (let i = 0; i < ROUNDS; i++) {
        const { status, text } = await untold.site.ask({ how: how(untold.bad) });
        texts.add(status === 503 ? text : "fine");
      }
      assert.deepEqual([...texts].sort(), ["busy", "fine"]);
    });

    add("http_404 and http_500 likewise; when all say so, the last one's answer is the client's", async (stage) => {
      const { site, good, bad } = await pair(stage, { "proxy-next-upstream": "http_404 http_500" });
      for (const status of [404, 500]) {
        assert.equal((await site.ask({ how: { status, pods: [bad.name] } })).pod, good.name);
        const all = await site.ask({ how: { status, body: "all the same" } });
        assert.deepEqual([all.status, all.text], [status, "all the same"]);
      }
    });

    add("proxy-next-upstream-tries bounds the tries", async (stage) => {
      const pods = await stage.lab.pods(4);
      const site = await stage.site({ pods, nginx: { "proxy-next-upstream-tries": "2" } });
      const mark = stage.name("tries");
      const { status } = await site.ask({ path: `/${mark}-`, how: { reset: "before" } });
      assert.equal(status, 502);
      const seen = await stage.lab.seenOf(`/${mark}-`);
      assert.equal(seen.length, 2);
      assert.equal(new Set(seen.map(({ pod }) => pod)).size, 2, "two different ones");
    });

    add("three tries are usual", async (stage) => {
      const pods = await stage.lab.pods(5);
      const site = await stage.site({ pods });
      const mark = stage.name("tries");
      assert.equal((await site.ask({ path: `/${mark}-`, how: { reset: "before" } })).status, 502);
      assert.equal((await stage.lab.seenOf(`/${mark}-`)).length, 3);
    });

    add("all pods refuse: 502", async (stage) => {
      const { site, good, bad } = await pair(stage);
      await Promise.all([good.kill(), bad.kill()]);
      assert.equal((await site.ask()).status, 502);
    });

    add("a pod that is silent: 504 after proxy-read-timeout, or another is asked", async (stage) => {
      const silent = await stage.lab.pod({ protocol: "silent" });
      const alone = await stage.site({ pods: [silent], nginx: { "proxy-read-timeout": "1" } });
      const began = performance.now();
      assert.equal((await alone.ask()).status, 504);
      assert.ok(performance.now() - began > 900);
      const good = await stage.lab.pod();
      const both = await stage.site({ pods: [silent, good], nginx: { "proxy-read-timeout": "1" } });
      for (let i = 0; i < 2; i++) assert.equal((await both.ask()).pod, good.name);
    });

    add(
      "what was begun is not begun again: an answer that breaks off breaks off for the client, too",
      async (stage) => {
        const { site } = await pair(stage);
        for (const how of [{ reset: "in-body" }, { end: "in-body" }] as const) {
          const mark = stage.name("broken");
          await assert.rejects(site.ask({ path: `/${mark}-`, how: { ...how, body: "x".repeat(1000) } }));
          assert.equal((await stage.lab.seenOf(`/${mark}-`)).length, 1);
        }
      },
    );

    add("half a head is no head: GET is tried again", async (stage) => {
      const { site, good, bad } = await pair(stage);
      for (let i = 0; i < ROUNDS; i++) {
        assert.equal((await site.ask({ how: { reset: "in-head", pods: [bad.name] } })).pod, good.name);
      }
    });

    for (const [what, raw] of [
      ["no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n"],
      ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde"],
      [
        "a length and chunks",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      ],
      ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 0\r\n\r\n"],
      ["nothing", ""],
    ] as const) {
      add(`a pod that answers ${what}: 502, or what is right of it, and the next request is served`, async (stage) => {
        const site = await stage.site();
        const answered = await site.ask({ how: { raw } }).catch(() => undefined);
        if (what === "a length and chunks") assert.ok([200, 502].includes(answered?.status ?? 0));
        else assert.equal(answered?.status, 502);
        if (answered?.status === 200) assert.equal(answered.text, "abc");
        assert.equal((await site.ask()).status, 200);
      });
    }

    add("a pod that resets right after its answer costs nobody anything", async (stage) => {
      const site = await stage.site({ pods: 1 });
      for (let i = 0; i < 20; i++) assert.equal((await site.ask({ how: { reset: "after" } })).status, 200);
    });

    add("a pod that closes each connection costs nobody anything, not even POST", async (stage) => {
      const site = await stage.site({ pods: 1 });
      for (let i = 0; i < 20; i++) {
        assert.equal((await site.ask({ method: "POST", body: "x", how: { close: true } })).status, 200);
      }
    });

    add("a body that is longer than was said, or shorter, is nobody else's", async (stage) => {
      const site = await stage.site({ pods: 1 });
      const long = await site.ask({
        how: {
          raw: "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
        },
      });
      assert.equal(long.text, "abc");
      for (let i = 0; i < 3; i++) assert.equal((await site.ask()).seen.pod, site.pods[0]!.name);
      await assert.rejects(site.ask({ how: { raw: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc" } }));
    });
  });
