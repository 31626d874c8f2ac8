import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect as connectPlain } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { isApiError } from "../../../src/api/status.ts";
import { nodeStreams } from "../../../src/apiserver/stream/streams.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { startNodeEndpoint } from "../../../src/node/endpoint/endpoint.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { endpointScene, NODE, testSource, type EndpointScene } from "./scene.ts";

let scene: EndpointScene;
before(async () => {
  scene = await endpointScene();
});
after(() => scene.close());

/** Asks the endpoint as a client with this certificate, or none. */
async function ask(path: string, pair: { cert: string; key: string } | undefined, method = "GET") {
  const socket = connect({ path: scene.socketPath, ca: scene.ca, servername: NODE, ...pair });
  return new Promise<{ code: number; body: string }>((resolve, reject) => {
    const request = httpRequest({ createConnection: () => socket, path, method }, (answer) => {
      text(answer).then((body) => resolve({ code: answer.statusCode ?? 0, body }), reject);
    });
    request.on("error", reject);
    request.end();
  });
}

const log = async (path: string): Promise<{ code: number; body: string }> => {
  const answer = await scene.streams.log({ nodeName: NODE, path }, new AbortController().signal);
  return { code: answer.code, body: await text(answer.body) };
};

void test("only the API server's certificate is served", async () => {
  assert.deepEqual(await ask("/healthz", scene.client), { code: 200, body: "ok" });
  assert.equal((await ask("/healthz", scene.other)).code, 403);
  await assert.rejects(ask("/healthz", undefined));
  assert.equal((await stat(scene.socketPath)).mode & 0o777, 0o600);
});

void test("answers logs with their options, and refusals as Status", async () => {
  assert.deepEqual(await log("/containerLogs/default/talker/main?tailLines=2&previous=true"), {
    code: 200,
    body: "first\nsecond\n",
  });
  const [asked] = scene.source.asked;
  assert.deepEqual(asked?.at, { namespace: "default", pod: "talker", container: "main" });
  assert.deepEqual([asked.options.tailLines, asked.options.previous, asked.options.follow], [2, true, false]);

  const message = async (path: string, method?: string) => {
    const { code, body } = await ask(path, scene.client, method);
    const status = JSON.parse(body) as { kind: string; code: number; message: string };
    assert.deepEqual([status.kind, status.code], ["Status", code]);
    return `${code} ${status.message}`;
  };
  assert.match(await message("/containerLogs/default/stranger/main"), /^404 pod "stranger"/);
  assert.match(await message("/containerLogs/default/talker/main?tailLines=x"), /^400 tailLines/);
  assert.match(await message("/containerLogs/default/talker/main", "POST"), /^405/);
  assert.match(await message("/exec/default/talker/main?command=true"), /^400 Upgrade request required/);
  assert.match(await message("/attach/default/talker/main"), /^400 Upgrade request required/);
  assert.match(await message("/portForward/default/talker"), /^400 Upgrade request required/);
  assert.match(await message("/nothing"), /^404 /);
});

void test("a log is sent as it comes, no faster than its reader, and ends with its reader", async (context) => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  const { said } = scene.source;
  context.after(() => {
    scene.source.said = said;
  });
  scene.source.said = async function* endless(_, signal) {
    try {
      while (!signal.aborted) {
        made += 65_536;
        yield Buffer.alloc(65_536);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      ended.resolve();
    }
  };
  const path = "/containerLogs/default/talker/main?follow=true";
  const { body } = await scene.streams.log({ nodeName: NODE, path }, new AbortController().signal);
  // Nobody reads: what the log makes comes to a stand.
  for (let before = -1; before !== made;) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.ok(made < 32 * 1024 * 1024, `made ${made} bytes for a reader that reads none`);
  body.destroy();
  await ended.promise;
});

void test("a silent log is answered, and its failure later cuts the answer off", async (context) => {
  const { said } = scene.source;
  context.after(() => {
    scene.source.said = said;
  });
  let fail = (): void => {};
  scene.source.said = async function* silent() {
    await new Promise<void>((resolve) => {
      fail = resolve;
    });
    yield Buffer.from("late\n");
    throw new Error("the disk is gone");
  };
  const path = "/containerLogs/default/talker/main?follow=true";
  const answer = await scene.streams.log({ nodeName: NODE, path }, new AbortController().signal);
  assert.equal(answer.code, 200);
  fail();
  await assert.rejects(text(answer.body));
});

void test("a node that cannot be reached, or is another, is ServiceUnavailable with a sentence", async () => {
  const tls = { ca: scene.ca, ...scene.client };
  const refused = (path: string, nodeName: string) =>
    nodeStreams({
      tls,
      dial: () =>
        new Promise((resolve, reject) => {
          const socket = connectPlain(path);
          socket.once("connect", () => resolve(socket));
          socket.once("error", reject);
        }),
    }).log({ nodeName, path: "/healthz" }, new AbortController().signal);
  const told = (words: RegExp) => (error: unknown) =>
    isApiError(error, "ServiceUnavailable") && words.test(error.message);
  await assert.rejects(
    refused(`${scene.socketPath}.none`, NODE),
    told(/connecting to the endpoint of node node-a: .*ENOENT/),
  );
  await assert.rejects(refused(scene.socketPath, "node-b"), told(/does not carry the DNS name node-b/));
});

void test("takes the place of a socket file that a dead endpoint left", async () => {
  const path = `${scene.socketPath}.stale`;
  // A process that is killed leaves its socket file behind.
  const left = await systemHost().run(process.execPath, [
    "-e",
    `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
  ]);
  assert.equal(left.code, 137);
  assert.ok((await stat(path)).isSocket());
  const tls = { ca: scene.ca, ...scene.client };
  const endpoint = await startNodeEndpoint({ listen: { path }, tls, log: silentLog, source: testSource() });
  await endpoint.stop();
});
