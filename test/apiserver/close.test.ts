import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { test } from "node:test";
import { createCluster, type Cluster } from "./cluster.ts";

const asked = (cluster: Cluster, agent: Agent, method: string, path: string, length?: number): ClientRequest => {
  const options: RequestOptions = {
    host: "127.0.0.1",
    port: cluster.port,
    ca: cluster.ca,
    key: cluster.admin.key,
    cert: cluster.admin.cert,
    method,
    path,
    agent,
    headers: length === undefined ? {} : { "content-type": "application/json", "content-length": length },
  };
  return httpsRequest(options);
};

const answerOf = async (request: ClientRequest): Promise<{ code: number; connection: string | undefined }> => {
  const [message] = (await once(request, "response")) as [IncomingMessage];
  message.resume();
  await once(message, "end");
  return { code: message.statusCode ?? 0, connection: message.headers.connection };
};

const seconds = async (work: Promise<void>): Promise<number> => {
  const began = performance.now();
  await work;
  return (performance.now() - began) / 1000;
};

test("closing does not wait for connections that wait for a next request", async () => {
  const cluster = await createCluster();
  const agent = new Agent({ keepAlive: true });
  const first = asked(cluster, agent, "GET", "/api/v1/namespaces");
  first.end();
  assert.equal((await answerOf(first)).code, 200);
  const session = connect(`https://127.0.0.1:${cluster.port}`, {
    ca: cluster.ca,
    key: cluster.admin.key,
    cert: cluster.admin.cert,
  });
  await once(session, "connect");
  const took = await seconds(cluster.close());
  assert.ok(took < 1, `closing took ${took} s; an idle connection held it up`);
  agent.destroy();
  session.destroy();
});

test("closing lets a request under way finish, and then its connection ends", async () => {
  const cluster = await createCluster();
  const agent = new Agent({ keepAlive: true });
  const body = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "late" } });
  const slow = asked(cluster, agent, "POST", "/api/v1/namespaces", body.length);
  // The server says so when it has begun with the request.
  slow.setHeader("expect", "100-continue");
  const begun = once(slow, "continue");
  slow.flushHeaders();
  await begun;
  slow.write(body.slice(0, 10));
  const closing = cluster.server.close();
  const answer = answerOf(slow);
  slow.end(body.slice(10));
  assert.equal((await answer).code, 201);
  const took = await seconds(closing);
  assert.ok(took < 1, `closing took ${took} s after the last answer`);
  await cluster.store.close();
  agent.destroy();
});

test("a connection outlives the ten seconds in which a quiet client asks again", async () => {
  const cluster = await createCluster();
  const agent = new Agent({ keepAlive: true });
  try {
    const request = asked(cluster, agent, "GET", "/version");
    request.end();
    const [message] = (await once(request, "response")) as [IncomingMessage];
    message.resume();
    const [, kept] = /timeout=(\d+)/.exec(String(message.headers["keep-alive"])) ?? [];
    assert.ok(Number(kept) > 15, `kept for ${kept} s`);
  } finally {
    agent.destroy();
    await cluster.close();
  }
});
