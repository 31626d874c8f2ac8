import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectTls } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, test } from "node:test";
import { CoreV1Api, KubeConfig, Watch } from "@kubernetes/client-node";
import { kinds } from "../../src/api/kinds.ts";
import { apiVersionOf } from "../../src/api/object.ts";
import type { NodeRequest, Streams } from "../../src/apiserver/streams.ts";
import { createCluster, type Cluster } from "./cluster.ts";

const asked: NodeRequest[] = [];
const streams: Streams = {
  log: async (request) => {
    asked.push(request);
    const body = new PassThrough();
    body.end(request.path.includes("broken") ? "no such container" : "line 1\nline 2\n");
    return { code: request.path.includes("broken") ? 404 : 200, headers: {}, body };
  },
  upgrade: async (request, _client, socket, head) => {
    asked.push(request);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    socket.end(`head ${head.toString()}`);
  },
};

let cluster: Cluster;
before(async () => {
  cluster = await createCluster({ streams });
  const pods = "/api/v1/namespaces/default/pods";
  for (const [name, containers] of [
    ["one", ["a"]],
    ["two", ["a", "b"]],
    ["broken", ["a"]],
  ] as const) {
    const spec = { nodeName: "n1", containers: containers.map((container) => ({ name: container, image: "x" })) };
    const made = await cluster.ask("POST", pods, { metadata: { name }, spec });
    assert.equal(made.code, 201, made.text);
  }
});
after(() => cluster.close());

void test("/version says the Kubernetes version", async () => {
  const { body } = await cluster.ask("GET", "/version");
  assert.deepEqual([body.major, body.minor, body.gitVersion], ["1", "36", "v1.36.2+fairlead.0"]);
});

void test("SVC-188: discovery lists services with their short name, category, verbs and status", async () => {
  const { body } = await cluster.ask("GET", "/api/v1");
  const find = (name: string) => body.resources.find((resource: { name: string }) => resource.name === name);
  assert.deepEqual(find("services").shortNames, ["svc"]);
  assert.deepEqual(find("services").categories, ["all"]);
  assert.deepEqual(find("services").verbs, [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
  ]);
  assert.deepEqual(find("services/status").verbs, ["get", "patch", "update"]);
  assert.equal(find("pods/eviction").group, "policy");
});

void test("aggregated discovery names every kind that the plain one names", async () => {
  for (const version of ["v2", "v2beta1"]) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
    const { body, headers } = await cluster.ask("GET", "/apis", undefined, { headers: { accept } });
    assert.equal(body.apiVersion, `apidiscovery.k8s.io/${version}`);
    assert.match(headers["content-type"] ?? "", new RegExp(`v=${version};as=APIGroupDiscoveryList`));
    const groups = (await cluster.ask("GET", "/apis")).body.groups.map((group: { name: string }) => group.name);
    assert.deepEqual(
      body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
      groups,
    );
    assert.ok(groups.includes("discovery.k8s.io"));
  }
});

void test("every reference in the OpenAPI documents has its schema, and writes take fieldValidation", async () => {
  const { body: index } = await cluster.ask("GET", "/openapi/v3");
  const paths = Object.values<{ serverRelativeURL: string }>(index.paths);
  assert.equal(paths.length, new Set(kinds.map(apiVersionOf)).size);
  for (const { serverRelativeURL } of paths) {
    const { text, body } = await cluster.ask("GET", serverRelativeURL);
    const references = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((found) => found[1]!));
    assert.ok(references.size > 3);
    for (const name of references) assert.ok(name in body.components.schemas, `${serverRelativeURL}: ${name}`);
  }
  const core = (await cluster.ask("GET", "/openapi/v3/api/v1")).body;
  const { patch } = core.paths["/api/v1/namespaces/{namespace}/services/{name}"];
  assert.ok(patch.parameters.some((parameter: { name: string }) => parameter.name === "fieldValidation"));
  const { ports } = core.components.schemas["io.k8s.api.core.v1.ServiceSpec"].properties;
  assert.equal(ports["x-kubernetes-patch-merge-key"], "port");
});

void test("pods/log: the only container is chosen, options are passed on, the answer streams", async () => {
  asked.length = 0;
  const answer = await cluster.ask("GET", "/api/v1/namespaces/default/pods/one/log?follow=true&tailLines=5&pretty=1");
  assert.equal(answer.text, "line 1\nline 2\n");
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
  assert.deepEqual(asked, [{ nodeName: "n1", path: "/containerLogs/default/one/a?follow=true&tailLines=5" }]);
});

void test("pods/log: several containers and none named, or one that is not there, answer 400; the node's refusal is told", async () => {
  const several = await cluster.ask("GET", "/api/v1/namespaces/default/pods/two/log");
  assert.equal(several.code, 400);
  assert.match(several.body.message, /a container name must be specified for pod two, choose one of: \[a b\]/);
  assert.equal((await cluster.ask("GET", "/api/v1/namespaces/default/pods/two/log?container=c")).code, 400);
  const broken = await cluster.ask("GET", "/api/v1/namespaces/default/pods/broken/log");
  assert.deepEqual([broken.code, broken.body.message], [404, "no such container"]);
});

const upgrade = (path: string, as: { key: string; cert: string } | undefined): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port: cluster.port, ca: cluster.ca, ...as }, () => {
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });

void test("pods/exec: an upgrade is passed to the node with kubelet's words; strangers and other paths are refused", async () => {
  asked.length = 0;
  const exec =
    "/api/v1/namespaces/default/pods/two/exec?container=b&command=ls&command=-l&stdin=true&stdout=true&tty=false";
  assert.match(await upgrade(exec, cluster.admin), /^HTTP\/1.1 101 /);
  assert.deepEqual(asked, [
    { nodeName: "n1", path: "/exec/default/two/b?command=ls&command=-l&input=1&output=1&tty=false" },
  ]);
  assert.match(await upgrade(exec, undefined), /^HTTP\/1.1 403 /);
  assert.match(await upgrade("/api/v1/namespaces/default/pods/none/exec?command=ls", cluster.admin), /^HTTP\/1.1 404 /);
  assert.match(await upgrade("/version", cluster.admin), /^HTTP\/1.1 400 /);
});

void test("HTTP/2 and a Unix socket carry the same API, watches among it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-api-"));
  const path = join(folder, "api.sock");
  await cluster.server.listen({ path });
  const { admin, ca } = cluster;
  const session: ClientHttp2Session = connectHttp2("https://localhost", {
    createConnection: () => connectTls({ path, ...admin, ca, servername: "localhost", ALPNProtocols: ["h2"] }),
  });
  try {
    const read = async (url: string): Promise<string> => {
      const stream = session.request({ ":path": url });
      stream.setEncoding("utf8");
      let text = "";
      for await (const chunk of stream) text += String(chunk);
      return text;
    };
    const lines = (await read("/api/v1/namespaces?watch=true&timeoutSeconds=1")).trim().split("\n");
    assert.ok(lines.some((line) => JSON.parse(line).object.metadata.name === "default"));
    assert.equal(JSON.parse(await read("/api/v1/namespaces/nowhere")).code, 404);
  } finally {
    session.close();
    rmSync(folder, { recursive: true });
  }
});

void test("another client library lists, creates, watches and deletes", async () => {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: "c",
      server: `https://127.0.0.1:${cluster.port}`,
      caData: Buffer.from(cluster.ca).toString("base64"),
      skipTLSVerify: false,
    },
    {
      name: "u",
      certData: Buffer.from(cluster.admin.cert).toString("base64"),
      keyData: Buffer.from(cluster.admin.key).toString("base64"),
    },
  );
  const core = config.makeApiClient(CoreV1Api);
  const list = await core.listNamespacedConfigMap({ namespace: "default" });
  const seen = new Promise<string>((resolve, reject) => {
    new Watch(config)
      .watch(
        "/api/v1/namespaces/default/configmaps",
        { resourceVersion: list.metadata?.resourceVersion ?? "" },
        (type: string, object: { metadata?: { name?: string } }) => {
          if (type === "DELETED") resolve(object.metadata?.name ?? "");
        },
        () => reject(new Error("the watch ended")),
      )
      .catch(reject);
  });
  await core.createNamespacedConfigMap({
    namespace: "default",
    body: { metadata: { name: "other" }, data: { a: "1" } },
  });
  const read = await core.readNamespacedConfigMap({ namespace: "default", name: "other" });
  assert.equal(read.data?.["a"], "1");
  await core.deleteNamespacedConfigMap({ namespace: "default", name: "other" });
  assert.equal(await seen, "other");
});
