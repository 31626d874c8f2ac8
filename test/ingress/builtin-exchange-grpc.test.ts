import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { test, type TestContext } from "node:test";
import { credentials, Client, Metadata, status, type ClientDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { until } from "../lab/until.ts";
import { endpoint, openDoor, type DoorChoices, type ExchangeDoor } from "./exchange-door.ts";
import { openGrpcPod } from "./lab/backends/grpc-pod.ts";
import type { Journal, RunningPod } from "./lab/backends/running-pod.ts";
import { createCertificate } from "./lab/certificates.ts";
import { ask } from "./lab/clients.ts";
import { echoService, type EchoMessage } from "./lab/echo-service.ts";

const host = "a.example";
const GRPC: DoorChoices["backend"] = { protocol: "GRPC" };

const journal: Journal = { note: (seen) => seen } as Journal;
let nextPort = 21_000;

async function pod(
  t: TestContext,
  name: string,
  secure?: { certificate: string; key: string },
): Promise<{ port: number; pod: RunningPod }> {
  const port = nextPort++;
  const protocol = secure === undefined ? "grpc" : "grpcs";
  const running = await openGrpcPod({ name, uid: name, address: "127.0.0.1", port, protocol, ...secure }, journal);
  t.after(() => running.kill());
  return { port, pod: running };
}

function client(t: TestContext, door: ExchangeDoor): Client {
  const made = new Client(`127.0.0.1:${door.second.port}`, credentials.createInsecure(), {
    "grpc.default_authority": host,
  });
  t.after(() => made.close());
  return made;
}

interface Called {
  readonly message: EchoMessage | undefined;
  readonly error: ServiceError | null;
  readonly trailers: Metadata | undefined;
}

const call = (
  grpc: Client,
  { path, requestSerialize, responseDeserialize }: (typeof echoService)["once"],
  message: EchoMessage,
  deadline = 30_000,
): Promise<Called> =>
  new Promise((resolve) => {
    let trailers: Metadata | undefined;
    const options = { deadline: Date.now() + deadline };
    const calling = grpc.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      new Metadata(),
      options,
      (error, answer) => {
        setImmediate(() => resolve({ message: answer, error, trailers }));
      },
    );
    calling.on("status", (given) => {
      trailers = given.metadata;
    });
  });

test("gRPC goes through: calls with their trailers, failures with their words, each call to the next endpoint", async (t) => {
  const [one, two] = [await pod(t, "one"), await pod(t, "two")];
  await using door = await openDoor({ endpoints: [one.port, two.port], backend: GRPC });
  const grpc = client(t, door);
  const pods = new Map<string, number>();
  for (let called = 0; called < 20; called += 1) {
    const { message, error, trailers } = await call(grpc, echoService.once, { text: `hello ${called}` });
    assert.equal(error, null);
    assert.equal(message?.text, `hello ${called}`);
    assert.equal(trailers?.get("x-pod")[0], message.pod);
    pods.set(message.pod!, (pods.get(message.pod!) ?? 0) + 1);
  }
  assert.deepEqual([...pods.values()], [10, 10]);
  const { error } = await call(grpc, echoService.fail, { text: "mood" });
  assert.equal(error?.code, status.ABORTED);
  assert.equal(error.details, "as you wish: mood");
  assert.equal(error.metadata.get("x-why")[0], "mood");
  const line = door.log.at(-1)!;
  assert.equal(line.status, 200);
  assert.equal(line.protocol, "HTTP/2.0");
});

test("gRPC streams go both ways at one time, larger ones as fast as they are read", async (t) => {
  const one = await pod(t, "one");
  await using door = await openDoor({ endpoints: [one.port], backend: GRPC });
  const grpc = client(t, door);
  const { chat, many } = echoService;
  const talk: ClientDuplexStream<EchoMessage, EchoMessage> = grpc.makeBidiStreamRequest(
    chat.path,
    chat.requestSerialize,
    chat.responseDeserialize,
  );
  for (const text of ["one", "two", "x".repeat(300_000)]) {
    const answer = once(talk, "data");
    talk.write({ text });
    assert.equal(((await answer) as [EchoMessage])[0].text, text);
  }
  talk.end();
  const [ended] = (await once(talk, "status")) as [{ code: number }];
  assert.equal(ended.code, status.OK);
  let heard = 0;
  const all = grpc.makeServerStreamRequest(many.path, many.requestSerialize, many.responseDeserialize, {
    text: "y".repeat(10_000),
    count: 500,
  });
  for await (const _ of all) heard += 1;
  assert.equal(heard, 500);
});

test("a gRPC call that its client gives up is given up at the endpoint, and its deadline is kept", async (t) => {
  let closed = 0;
  const silent = createHttp2Server();
  silent.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.on("close", () => (closed += 1));
  });
  await using shop = await endpoint(silent);
  await using door = await openDoor({ endpoints: [shop.port], backend: GRPC });
  const grpc = client(t, door);
  const { error } = await call(grpc, echoService.once, { text: "?" }, 300);
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
  await until("the endpoint is told", () => closed === 1);
  await until("it is logged", () => door.log.length === 1);
  assert.equal(door.log[0]?.status, 499);
});

/** An endpoint of HTTP/2 that a test plays itself. */
const answering = (took: (stream: ServerHttp2Stream) => void): Http2Server => {
  const server = createHttp2Server();
  server.on("stream", (some) => {
    const stream = some as ServerHttp2Stream;
    stream.on("error", () => undefined);
    took(stream);
  });
  server.on("sessionError", () => undefined);
  return server;
};

const ok = (stream: ServerHttp2Stream): void => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.from([0, 0, 0, 0, 13, ...Buffer.from('{"text":"ok"}')]));
};

test("a stream that an endpoint refuses is tried again, a session that says goodbye is opened anew", async (t) => {
  let refused = 0;
  let taken = 0;
  await using shop = await endpoint(
    answering((stream) => {
      taken += 1;
      if (taken % 3 === 0) {
        refused += 1;
        stream.close(7);
      } else {
        ok(stream);
        if (taken % 4 === 0) stream.session?.goaway();
      }
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port], backend: GRPC });
  const grpc = client(t, door);
  for (let called = 0; called < 20; called += 1) {
    const { error, message } = await call(grpc, echoService.once, { text: "?" });
    assert.equal(error, null);
    assert.equal(message?.text, "ok");
  }
  assert.ok(refused > 5);
  assert.ok(shop.connections > 3, "no session was ever opened anew");
});

test("how an endpoint ends a stream is how its client's ends", async (t) => {
  await using shop = await endpoint(
    answering((stream) => {
      // Without trailers to wait for, Node would end the stream before it resets it.
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.write(Buffer.from([0, 0, 0, 0, 13]));
      setImmediate(() => stream.close(11));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port], backend: GRPC });
  const { error } = await call(client(t, door), echoService.once, { text: "?" });
  // ENHANCE_YOUR_CALM is what gRPC calls RESOURCE_EXHAUSTED.
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
});

test("no more streams are opened on a session than its endpoint takes", async (t) => {
  const most = new Map<object, number>();
  const waiting: ServerHttp2Stream[] = [];
  const server = createHttp2Server({ settings: { maxConcurrentStreams: 5 } });
  server.on("stream", (some) => {
    const stream = some as ServerHttp2Stream;
    const session = stream.session!;
    const open = waiting.filter((one) => one.session === session).length + 1;
    most.set(session, Math.max(most.get(session) ?? 0, open));
    waiting.push(stream);
    stream.on("error", () => undefined);
  });
  await using shop = await endpoint(server);
  await using door = await openDoor({ endpoints: [shop.port], backend: GRPC });
  const grpc = client(t, door);
  const first = call(grpc, echoService.once, { text: "?" });
  await until("the first is there", () => waiting.length === 1);
  const others = Array.from({ length: 19 }, () => call(grpc, echoService.once, { text: "?" }));
  await until("all are there", () => waiting.length === 20);
  for (const stream of waiting) ok(stream);
  for (const { error } of await Promise.all([first, ...others])) assert.equal(error, null);
  assert.deepEqual([...most.values()], [5, 5, 5, 5]);
});

test("an endpoint that is gone is UNAVAILABLE, and costs nothing where there is another", async (t) => {
  const [one, two] = [await pod(t, "one"), await pod(t, "two")];
  await using door = await openDoor({ endpoints: [one.port, two.port], backend: GRPC });
  const grpc = client(t, door);
  assert.equal((await call(grpc, echoService.once, { text: "?" })).error, null);
  await one.pod.kill();
  for (let called = 0; called < 6; called += 1) {
    assert.equal((await call(grpc, echoService.once, { text: "?" })).message?.pod, "two");
  }
  await two.pod.kill();
  await until(
    "nobody is left",
    async () => (await call(grpc, echoService.once, { text: "?" })).error?.code === status.UNAVAILABLE,
  );
});

test("gRPC over TLS is checked by the authority and the name that are set", async (t) => {
  const ca = await createCertificate(["ca"], { isCa: true });
  const secure = await createCertificate(["shop.internal"], { ca });
  const one = await pod(t, "one", secure);
  const tls = { ca: ca.certificate, certificate: undefined, key: undefined, serverName: "shop.internal" };
  const choices = { endpoints: [one.port], backend: { protocol: "GRPCS", tls } } as const;
  await using door = await openDoor(choices);
  const grpc = client(t, door);
  assert.equal((await call(grpc, echoService.once, { text: "?" })).message?.pod, "one");
  door.follow({ ...choices, backend: { protocol: "GRPCS", tls: { ...tls, serverName: "other.internal" } } });
  assert.equal((await call(grpc, echoService.once, { text: "?" })).error?.code, status.UNAVAILABLE);
  door.follow({ ...choices, backend: { protocol: "GRPCS", tls: { ...tls, ca: undefined, serverName: undefined } } });
  assert.equal((await call(grpc, echoService.once, { text: "?" })).error, null);
});

test("HTTP/1.1 may ask a backend of gRPC", async () => {
  await using shop = await endpoint(answering(ok));
  await using door = await openDoor({ endpoints: [shop.port], backend: GRPC });
  const answered = await ask(door.place, { host, method: "POST", body: "x" });
  assert.equal(answered.status, 200);
  assert.equal(answered.trailers["grpc-status"], "0");
});
