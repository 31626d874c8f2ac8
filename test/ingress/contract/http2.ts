import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { until } from "../../lab/until.ts";
import { createCertificate } from "../lab/certificates.ts";
import { askHttp2, curl, openHttp2, type Place } from "../lab/clients.ts";
import { headerOf } from "../lab/behaviour.ts";
import type { EngineSubject } from "../lab/door.ts";
import { echoService, type EchoMessage } from "../lab/echo-service.ts";
import { onStage, type Stage } from "./stage.ts";

const { once: onceMethod, fail, many, chat } = echoService;

/** HTTP/2 from clients, and gRPC all the way. */
export const http2Examples = (subject: EngineSubject): void =>
  onStage(subject, "HTTP/2", (add) => {
    for (const by of ["secure", "plain"] as const) {
      add(`a request by HTTP/2, ${by === "plain" ? "with prior knowledge" : "over TLS"}`, async ({ site, door }) => {
        const { host } = await site();
        const session = await openHttp2(door[by], host);
        const { status, seen } = await askHttp2(session, {
          path: "/h2?x=%2F",
          headers: { cookie: "a=1", "x-own": "y" },
        });
        assert.equal(status, 200);
        assert.equal(seen.target, "/h2?x=%2F");
        assert.equal(seen.version, "1.1");
        assert.equal(headerOf(seen, "host"), host);
        assert.equal(headerOf(seen, "x-own"), "y");
        assert.equal(headerOf(seen, "x-forwarded-proto"), by === "plain" ? "http" : "https");
        const posted = await askHttp2(session, { method: "POST", body: "x".repeat(300_000) });
        assert.equal(posted.seen.length, 300_000);
        session.close();
      });
    }

    add("100 requests of one session are under way at once", async ({ site, door, lab, name }) => {
      const { host } = await site({ pods: 3 });
      const gate = name("gate");
      const session = await openHttp2(door.secure, host);
      const answers = Array.from({ length: 100 }, async (_, i) =>
        askHttp2(session, { path: `/${i}`, how: { hold: gate } }),
      );
      await until("all of them to be at pods", async () => (await lab.seenOf(gate)).length === 100);
      await lab.release(gate);
      for (const [i, answer] of answers.entries()) {
        const { status, seen } = await answer;
        assert.equal(status, 200);
        assert.equal(seen.target, `/${i}`);
      }
      session.close();
    });

    add("a stream that is given up reaches the pod, and the others go on", async ({ site, door, lab, name }) => {
      const { host } = await site();
      const path = `/${name("given-up")}-`;
      const session = await openHttp2(door.secure, host);
      const stream = session.request({ ":path": path, "x-do": JSON.stringify({ hold: "never" }) });
      stream.on("error", () => undefined);
      await lab.sees(path);
      stream.close(8);
      await lab.sees(path, ({ outcome }) => outcome === "aborted");
      assert.equal((await askHttp2(session)).status, 200);
      session.close();
    });

    add("a slow stream does not hold up the others of its session", async ({ site, door }) => {
      const { host } = await site();
      const session = await openHttp2(door.secure, host);
      const slow = session.request({ ":path": "/slow", "x-do": JSON.stringify({ bytes: 50_000_000 }) });
      slow.on("error", () => undefined);
      await once(slow, "response");
      // Nobody reads it.
      await sleep(100);
      for (let i = 0; i < 5; i++) assert.equal((await askHttp2(session, { path: `/${i}` })).status, 200);
      slow.close(8);
      session.close();
    });

    add("trailers, HEAD, 204 and headers of one name by HTTP/2", async ({ site, door }) => {
      const { host } = await site();
      const session = await openHttp2(door.secure, host);
      const trailed = await askHttp2(session, { how: { trailers: { "x-sum": "1" } }, headers: { te: "trailers" } });
      assert.equal(trailed.trailers["x-sum"], "1");
      const head = await askHttp2(session, { method: "HEAD", how: { bytes: 10 } });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      assert.equal((await askHttp2(session, { how: { status: 204 } })).status, 204);
      const cookies: [string, string][] = [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ];
      assert.deepEqual((await askHttp2(session, { how: { headers: cookies } })).headers["set-cookie"], ["a=1", "b=2"]);
      session.close();
    });

    add("headers of HTTP/1 connections are no part of an answer by HTTP/2", async ({ site, door }) => {
      const { host } = await site();
      const session = await openHttp2(door.secure, host);
      const { status, headers } = await askHttp2(session, {
        how: { close: true, headers: [["keep-alive", "timeout=5"]] },
      });
      assert.equal(status, 200);
      for (const name of ["connection", "keep-alive", "transfer-encoding"]) assert.equal(headers[name], undefined);
      session.close();
    });

    add("a pod that breaks off, before and in its body: 502, and a reset stream", async ({ site, door }) => {
      const { host } = await site();
      const session = await openHttp2(door.secure, host);
      assert.equal((await askHttp2(session, { method: "POST", body: "x", how: { reset: "before" } })).status, 502);
      await assert.rejects(askHttp2(session, { how: { reset: "in-body", body: "x".repeat(1000) } }));
      assert.equal((await askHttp2(session)).status, 200);
      session.close();
    });

    add("one session asks for several hosts of its certificate", async ({ site, door }) => {
      const [one, two] = [await site(), await site()];
      const session = await openHttp2(door.secure, one.host);
      assert.equal(headerOf((await askHttp2(session, { host: two.host })).seen, "host"), two.host);
      assert.equal((await askHttp2(session, { host: "nobody.h2.test" })).status, 404);
      session.close();
    });

    add("curl agrees on HTTP/2 by itself", async ({ site, door }) => {
      const { host } = await site();
      const out = await curl(door.secure, `https://${host}/x`, "-o", "/dev/null", "-w", "%{http_version} %{http_code}");
      assert.equal(out, "2 200");
    });

    const client = (place: Place, host: string, stage: Stage): Client =>
      new Client(
        `${place.address}:${place.port}`,
        place.tls ? credentials.createSsl(Buffer.from(stage.fallback.certificate)) : credentials.createInsecure(),
        {
          "grpc.default_authority": host,
          "grpc.max_receive_message_length": 1 << 27,
          ...(place.tls ? { "grpc.ssl_target_name_override": "fallback.test" } : {}),
        },
      );
    const unary = async (
      on: Client,
      method: typeof onceMethod,
      message: EchoMessage,
      metadata = new Metadata(),
    ): Promise<EchoMessage> =>
      new Promise((resolve, reject) => {
        on.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          message,
          metadata,
          { deadline: Date.now() + 30_000 },
          (error: ServiceError | null, value?: EchoMessage) => (error === null ? resolve(value!) : reject(error)),
        );
      });

    for (const by of ["secure", "plain"] as const) {
      for (const protocol of ["GRPC", "GRPCS"] as const) {
        add(`gRPC by ${by} to pods of ${protocol}: one answer, errors, streams, both ways`, async (stage) => {
          const { lab, site, door } = stage;
          const pod = await lab.pod(
            protocol === "GRPC"
              ? { protocol: "grpc", port: 50051 }
              : { protocol: "grpcs", port: 50051, ...(await createCertificate(["grpc.test"])) },
          );
          const { host } = await site({ pods: [pod], nginx: { "backend-protocol": protocol } });
          // grpc-js takes the name of the certificate for the authority: the host of the rule is what the client says.
          const on = client(door[by], host, stage);
          try {
            const metadata = new Metadata();
            metadata.set("x-own", "mine");
            assert.deepEqual(await unary(on, onceMethod, { text: "hello" }, metadata), {
              text: "hello",
              pod: pod.name,
            });
            const big = "x".repeat(3_000_000);
            assert.equal((await unary(on, onceMethod, { text: big })).text, big);
            await assert.rejects(unary(on, fail, { text: "because" }), (error: ServiceError) => {
              assert.deepEqual(error.code, 10);
              assert.equal(error.details, "as you wish: because");
              assert.deepEqual(error.metadata.get("x-why"), ["because"]);
              return true;
            });
            const stream = on.makeServerStreamRequest(
              many.path,
              many.requestSerialize,
              many.responseDeserialize,
              { text: "n", count: 100 },
              new Metadata(),
            );
            let count = 0;
            for await (const message of stream) {
              assert.equal((message as EchoMessage).text, `n ${count}`);
              count += 1;
            }
            assert.equal(count, 100);
            const duplex = on.makeBidiStreamRequest(
              chat.path,
              chat.requestSerialize,
              chat.responseDeserialize,
              new Metadata(),
            );
            for (const text of ["one", "two", "three"]) {
              const back = once(duplex, "data");
              duplex.write({ text });
              assert.equal(((await back)[0] as EchoMessage).text, text);
            }
            duplex.resume();
            const status = once(duplex, "status");
            duplex.end();
            assert.equal(((await status)[0] as { code: number }).code, 0);
          } finally {
            on.close();
          }
        });
      }
    }

    add("gRPC without a pod is UNAVAILABLE, and a method that is none UNIMPLEMENTED", async (stage) => {
      const { lab, site, door } = stage;
      const pod = await lab.pod({ protocol: "grpc", port: 50051 });
      const { host, endpoints } = await site({ pods: [pod], nginx: { "backend-protocol": "GRPC" } });
      const on = client(door.plain, host, stage);
      try {
        const none = { ...onceMethod, path: "/lab.Echo/None" };
        await assert.rejects(unary(on, none, { text: "x" }), { code: 12 });
        await endpoints([]);
        await assert.rejects(unary(on, onceMethod, { text: "x" }), { code: 14 });
      } finally {
        on.close();
      }
    });

    add("a gRPC call that is cancelled is cancelled at the pod", async (stage) => {
      const { lab, site, door } = stage;
      const pod = await lab.pod({ protocol: "grpc", port: 50051 });
      const { host } = await site({ pods: [pod], nginx: { "backend-protocol": "GRPC" } });
      const on = client(door.plain, host, stage);
      try {
        const duplex = on.makeBidiStreamRequest(
          chat.path,
          chat.requestSerialize,
          chat.responseDeserialize,
          new Metadata(),
        );
        duplex.on("error", () => undefined);
        const back = once(duplex, "data");
        duplex.write({ text: "hello" });
        await back;
        duplex.cancel();
        await until("the pod to see it", async () =>
          (await lab.seen()).some((seen) => seen.pod === pod.name && seen.outcome === "aborted"),
        );
      } finally {
        on.close();
      }
    });
  });
