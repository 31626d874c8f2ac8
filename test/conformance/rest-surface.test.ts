import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const NAMESPACE = "/api/v1/namespaces/default";
const SERVICES = `${NAMESPACE}/services`;
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const service = (name: string, more: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...metadata },
  spec: { ports: [{ port: 80 }], ...more },
});
const endpointsOf = (name: string) => ({ apiVersion: "v1", kind: "Endpoints", metadata: { name } });

async function made(path: string, body: object): Promise<Answered["body"]> {
  const { code, body: object, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  return object;
}

/** The events of a watch as they come; `close` ends it. */
async function watch(
  path: string,
): Promise<{ events: { type: string; object: Answered["body"] }[]; readonly close: () => void }> {
  const message: IncomingMessage = await subject.open("GET", path);
  assert.equal(message.statusCode, 200);
  const events: { type: string; object: Answered["body"] }[] = [];
  let rest = "";
  message.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line) as { type: string; object: Answered["body"] });
  });
  message.on("error", () => {});
  return { events, close: () => message.destroy() };
}

void test("SVC-186: Services are reached in a namespace, by name, over all namespaces, and watched on every list", async () => {
  await made(SERVICES, service("surface"));
  assert.equal((await subject.ask("GET", `${SERVICES}/surface`)).code, 200);
  const list = (await subject.ask("GET", SERVICES)).body;
  assert.equal(list.kind, "ServiceList");
  const all = (await subject.ask("GET", "/api/v1/services")).body;
  assert.ok(all.items.some((item: Answered["body"]) => item.metadata.name === "surface"));
  const { resourceVersion } = list.metadata;
  for (const path of [
    `${SERVICES}?watch=true&resourceVersion=${resourceVersion}`,
    `/api/v1/services?watch=1&resourceVersion=${resourceVersion}`,
    `/api/v1/watch/namespaces/default/services?resourceVersion=${resourceVersion}`,
    `/api/v1/watch/services?resourceVersion=${resourceVersion}`,
    `/api/v1/watch/namespaces/default/services/surface?resourceVersion=${resourceVersion}`,
  ]) {
    const { events, close } = await watch(path);
    const label = String(Math.random());
    await subject.ask("PATCH", `${SERVICES}/surface`, { metadata: { labels: { label } } }, MERGE);
    await until(`the change on ${path}`, () => events.some(({ object }) => object.metadata.labels?.label === label));
    close();
  }
  assert.equal((await subject.ask("POST", "/api/v1/services", service("nowhere"))).code, 405);
});

void test("SVC-187: below a Service are its status and its proxy, and nothing to scale or finalize", async () => {
  await made(SERVICES, service("below"));
  const { resources } = (await subject.ask("GET", "/api/v1")).body;
  const below = resources.filter(({ name }: { name: string }) => name.startsWith("services/"));
  assert.deepEqual(
    below.map(({ name, kind, verbs }: Answered["body"]) => [name, kind, verbs]),
    [
      ["services/proxy", "ServiceProxyOptions", ["create", "delete", "get", "patch", "update"]],
      ["services/status", "Service", ["get", "patch", "update"]],
    ],
  );
  const at = `${SERVICES}/below`;
  const read = await subject.ask("GET", `${at}/status`);
  assert.deepEqual([read.code, read.body.kind], [200, "Service"]);
  assert.equal((await subject.ask("PUT", `${at}/status`, read.body)).code, 200);
  assert.equal((await subject.ask("PATCH", `${at}/status`, {}, MERGE)).code, 200);
  for (const method of ["POST", "DELETE"]) assert.equal((await subject.ask(method, `${at}/status`, {})).code, 405);
  for (const what of ["scale", "finalize"]) {
    for (const method of ["GET", "PUT"]) assert.equal((await subject.ask(method, `${at}/${what}`)).code, 404, what);
  }
  const subsets = [{ addresses: [{ ip: "10.1.1.1" }], ports: [{ port: 80 }] }];
  await made(`${NAMESPACE}/endpoints`, { ...endpointsOf("below"), subsets });
  // Nobody's addresses are not used, so that every method that is known gets as far as that.
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
    assert.equal((await subject.ask(method, `${at}/proxy/x`)).code, 503, method);
  }
  assert.equal((await subject.ask("TRACE", `${at}/proxy/x`)).code, 405);
});

void test("a proxied name that leads nowhere is told what is missing, before any redirection", async () => {
  await made(SERVICES, service("portless"));
  const subsets = [{ addresses: [{ ip: "10.1.1.1" }], ports: [{ port: 80 }] }];
  await made(`${NAMESPACE}/endpoints`, { ...endpointsOf("portless"), subsets });
  await made(SERVICES, service("endless"));
  for (const [name, code, message] of [
    ["nothing", 404, 'services "nothing" not found'],
    ["nothing:80", 404, 'services "nothing" not found'],
    ["endless", 404, 'services "endless" not found'],
    ["portless", 503, 'no endpoints available for service "portless"'],
    ["http:portless:80", 503, 'no endpoints available for service "http:portless:80"'],
    ["portless:81", 503, 'no service port 81 found for service "portless"'],
    ["a:b:c:d", 400, 'invalid service request "a:b:c:d"'],
  ] as const) {
    for (const path of ["/proxy", "/proxy/", "/proxy/x"]) {
      const { code: found, body } = await subject.ask("GET", `${SERVICES}/${name}${path}`);
      assert.deepEqual([found, body?.message], [code, message], name + path);
    }
  }
});

void test("SVC-189: PUT of a name that is not there creates a Service and Endpoints, and nothing of the other kinds", async () => {
  const put = (path: string, body: object) => subject.ask("PUT", path, body);
  assert.equal((await put(`${SERVICES}/put`, service("put"))).code, 201);
  assert.equal((await put(`${NAMESPACE}/endpoints/put`, endpointsOf("put"))).code, 201);
  // So does a Service's status.
  assert.equal((await put(`${SERVICES}/put-status/status`, service("put-status"))).code, 201);
  assert.equal((await subject.ask("GET", `${SERVICES}/put-status`)).code, 200);
  const networking = "/apis/networking.k8s.io/v1";
  const backend = { service: { name: "x", port: { number: 80 } } };
  for (const [path, body] of [
    [
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/put",
      { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4", endpoints: [] },
    ],
    [
      `${networking}/namespaces/default/ingresses/put`,
      { apiVersion: "networking.k8s.io/v1", kind: "Ingress", spec: { defaultBackend: backend } },
    ],
    [
      `${networking}/ingressclasses/put`,
      { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", spec: { controller: "example.com/x" } },
    ],
    [
      `${networking}/ipaddresses/10.96.9.9`,
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "IPAddress",
        spec: { parentRef: { resource: "services", namespace: "default", name: "x" } },
      },
    ],
    [
      `${networking}/servicecidrs/put`,
      { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", spec: { cidrs: ["10.1.0.0/24"] } },
    ],
  ] as const) {
    const { code, body: status } = await put(path, { ...body, metadata: { name: path.split("/").at(-1) } });
    assert.equal(code, 404, path);
    assert.equal(status.reason, "NotFound");
  }
});

void test("SVC-190: DELETE of a Service answers with the Service, of Endpoints with a Status", async () => {
  await made(SERVICES, service("gone", {}, { labels: { a: "b" } }));
  const answered = await subject.ask("DELETE", `${SERVICES}/gone`);
  assert.equal(answered.code, 200);
  assert.equal(answered.body.kind, "Service");
  assert.deepEqual(answered.body.metadata.labels, { a: "b" });
  const endpoints = await made(`${NAMESPACE}/endpoints`, endpointsOf("gone"));
  const status = (await subject.ask("DELETE", `${NAMESPACE}/endpoints/gone`)).body;
  assert.equal(status.kind, "Status");
  assert.equal(status.status, "Success");
  assert.deepEqual(status.details, { name: "gone", kind: "endpoints", uid: endpoints.metadata.uid });
});

void test("SVC-191, SVC-192: finalizers hold a deleted Service, its address and its Endpoints until the last one goes", async () => {
  for (const way of ["", "/status"]) {
    const name = way === "" ? "held" : "held-status";
    const { spec } = await made(SERVICES, service(name, { type: "NodePort" }, { finalizers: ["example.com/hold"] }));
    await made(`${NAMESPACE}/endpoints`, endpointsOf(name));
    const { body: slice } = await subject.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { name, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [],
    });
    const deleted = await subject.ask("DELETE", `${SERVICES}/${name}`);
    assert.equal(deleted.code, 200);
    assert.ok(deleted.body.metadata.deletionTimestamp);
    assert.equal((await subject.ask("GET", `${SERVICES}/${name}`)).code, 200);
    assert.equal((await subject.ask("GET", `${NAMESPACE}/endpoints/${name}`)).code, 200);
    const { nodePort } = spec.ports[0];
    const taken = service("thief", { type: "NodePort", ports: [{ port: 80, nodePort }] });
    assert.equal((await subject.ask("POST", SERVICES, taken)).code, 422, "the port is still held");
    const released = await subject.ask("PATCH", `${SERVICES}/${name}${way}`, { metadata: { finalizers: null } }, MERGE);
    assert.equal(released.code, 200, released.text);
    assert.equal((await subject.ask("GET", `${SERVICES}/${name}`)).code, 404);
    assert.equal((await subject.ask("GET", `${NAMESPACE}/endpoints/${name}`)).code, 404, "the Endpoints go along");
    const slices = await subject.ask("GET", `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/${name}`);
    assert.equal(slices.body.metadata.uid, slice.metadata.uid, "EndpointSlices are left to the garbage collector");
    assert.equal((await subject.ask("POST", SERVICES, taken)).code, 201, "and the port is free");
    await subject.ask("DELETE", `${SERVICES}/thief`);
  }
});

void test("SVC-193: a grace period means nothing to a Service", async () => {
  await made(SERVICES, service("graceful"));
  const { body } = await subject.ask("DELETE", `${SERVICES}/graceful?gracePeriodSeconds=100`);
  assert.equal(body.metadata.deletionTimestamp, undefined);
  assert.equal((await subject.ask("GET", `${SERVICES}/graceful`)).code, 404);
});

void test("SVC-194: a collection is deleted by label and by field, and answered as a list of what went", async () => {
  for (const name of ["c1", "c2", "c3"]) await made(SERVICES, service(name, {}, { labels: { set: name } }));
  const byLabel = await subject.ask("DELETE", `${SERVICES}?labelSelector=set+in+(c1,c2)`);
  assert.equal(byLabel.code, 200);
  assert.equal(byLabel.body.kind, "ServiceList");
  assert.deepEqual(byLabel.body.items.map((item: Answered["body"]) => item.metadata.name).sort(), ["c1", "c2"]);
  const byField = await subject.ask("DELETE", `${SERVICES}?fieldSelector=metadata.name%3Dc3`);
  assert.deepEqual(
    byField.body.items.map((item: Answered["body"]) => item.metadata.name),
    ["c3"],
  );
  assert.equal((await subject.ask("GET", `${SERVICES}?labelSelector=set`)).body.items.length, 0);
});

void test("SVC-199: Services are selected by name, namespace, cluster IP and type, and by no other field", async () => {
  await made(SERVICES, service("headless", { clusterIP: "None" }));
  await made(SERVICES, service("normal"));
  const names = async (selector: string): Promise<string[]> => {
    const { code, body, text } = await subject.ask("GET", `${SERVICES}?fieldSelector=${encodeURIComponent(selector)}`);
    assert.equal(code, 200, text);
    return body.items.map((item: Answered["body"]) => item.metadata.name);
  };
  assert.deepEqual(await names("spec.clusterIP=None"), ["headless"]);
  assert.ok(!(await names("spec.clusterIP!=None")).includes("headless"));
  assert.ok((await names("spec.clusterIP!=None")).includes("normal"));
  assert.deepEqual(await names("metadata.name=normal,spec.type=ClusterIP"), ["normal"]);
  assert.deepEqual(await names("metadata.name=normal,spec.type=NodePort"), []);
  assert.ok((await names("metadata.namespace=default")).includes("normal"));
  const { code, body } = await subject.ask("GET", `${SERVICES}?fieldSelector=spec.externalName%3Dx`);
  assert.equal(code, 400);
  assert.match(body.message, /field label not supported: spec\.externalName/);
});

void test("SVC-200: lists page, stand at a version, and select by sets of labels", async () => {
  for (const name of ["p1", "p2", "p3"]) await made(SERVICES, service(name, {}, { labels: { page: name } }));
  const first = (await subject.ask("GET", `${SERVICES}?labelSelector=page&limit=2`)).body;
  assert.equal(first.items.length, 2);
  await subject.ask("DELETE", `${SERVICES}/p3`);
  const rest = (
    await subject.ask(
      "GET",
      `${SERVICES}?labelSelector=page&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`,
    )
  ).body;
  assert.deepEqual(
    rest.items.map((item: Answered["body"]) => item.metadata.name),
    ["p3"],
    "one revision over all pages",
  );
  assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
  const exact = `${SERVICES}?labelSelector=page&limit=10&resourceVersionMatch=Exact&resourceVersion=${first.metadata.resourceVersion}`;
  assert.equal((await subject.ask("GET", exact)).body.items.length, 3);
  const newer = `${SERVICES}?labelSelector=page&resourceVersionMatch=NotOlderThan&resourceVersion=${first.metadata.resourceVersion}`;
  assert.equal((await subject.ask("GET", newer)).body.items.length, 2);
  const select = async (selector: string): Promise<number> =>
    (await subject.ask("GET", `${SERVICES}?labelSelector=${encodeURIComponent(selector)}`)).body.items.length;
  assert.equal(await select("page in (p1,p9)"), 1);
  assert.equal(await select("page notin (p1),page"), 1);
  assert.equal(await select("page,page!=p1"), 1);
  assert.equal((await subject.ask("GET", `${SERVICES}?labelSelector=page+in`)).code, 400);
});

void test("SVC-200: a watch takes bookmarks, initial events and its time", async () => {
  const { events, close } = await watch(
    `${SERVICES}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=`,
  );
  await until("the end of the initial events", () => events.some(({ type }) => type === "BOOKMARK"));
  const bookmark = events.find(({ type }) => type === "BOOKMARK")!;
  assert.equal(bookmark.object.metadata.annotations["k8s.io/initial-events-end"], "true");
  assert.ok(events.some(({ type, object }) => type === "ADDED" && object.metadata.name === "kubernetes"));
  close();
  const began = performance.now();
  const message = await subject.open("GET", `${SERVICES}?watch=true&timeoutSeconds=1`);
  for await (const _ of message);
  assert.ok(performance.now() - began >= 900, "it lives as long as it was asked to");
  const refused = await subject.ask("GET", `${SERVICES}?watch=true&sendInitialEvents=true`);
  assert.equal(refused.code, 422);
  assert.deepEqual(refused.body.details.causes[0].field, "resourceVersionMatch");
});

void test("SVC-201: a watch with a selector tells what stops to match as DELETED and what starts to as ADDED", async () => {
  const { metadata } = (await subject.ask("GET", SERVICES)).body;
  const { events, close } = await watch(
    `${SERVICES}?watch=true&labelSelector=colour%3Dred&resourceVersion=${metadata.resourceVersion}`,
  );
  await made(SERVICES, service("coloured"));
  const colour = (value: string | null) =>
    subject.ask("PATCH", `${SERVICES}/coloured`, { metadata: { labels: { colour: value } } }, MERGE);
  await colour("red");
  await subject.ask("PATCH", `${SERVICES}/coloured`, { metadata: { labels: { other: "x" } } }, MERGE);
  await colour("blue");
  await colour("red");
  await subject.ask("DELETE", `${SERVICES}/coloured`);
  await until("five events", () => events.length >= 5);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"],
  );
  close();
});

void test("SVC-202: nothing is created in a namespace that is not there, or on its way out", async () => {
  const missing = await subject.ask("POST", "/api/v1/namespaces/nowhere/services", service("x"));
  assert.equal(missing.code, 404);
  assert.equal(missing.body.message, 'namespaces "nowhere" not found');
  await made("/api/v1/namespaces", { metadata: { name: "going", finalizers: ["example.com/hold"] } });
  await subject.ask("DELETE", "/api/v1/namespaces/going");
  const going = await subject.ask("POST", "/api/v1/namespaces/going/services", service("x"));
  assert.equal(going.code, 403);
  assert.equal(going.body.reason, "Forbidden");
  assert.equal(going.body.details.causes[0].reason, "NamespaceTerminating");
  await subject.ask("PATCH", "/api/v1/namespaces/going", { metadata: { finalizers: null } }, MERGE);
});

void test("SVC-203: a name that is taken answers AlreadyExists", async () => {
  await made(SERVICES, service("twice"));
  const { code, body } = await subject.ask("POST", SERVICES, service("twice"));
  assert.equal(code, 409);
  assert.equal(body.reason, "AlreadyExists");
  assert.equal(body.message, 'services "twice" already exists');
  assert.deepEqual(body.details, { name: "twice", kind: "services" });
});

void test("SVC-350: the fields that pods are selected by", async () => {
  const spec = { containers: [{ name: "main", image: "x" }], nodeName: "n1", hostNetwork: false };
  await made(`${NAMESPACE}/pods`, { metadata: { name: "p" }, spec: { ...spec, serviceAccountName: "default" } });
  const status = { phase: "Running", podIP: "10.244.0.9", podIPs: [{ ip: "10.244.0.9" }, { ip: "fd00:10:244::9" }] };
  const unbound = { containers: [{ name: "main", image: "x" }] };
  await made(`${NAMESPACE}/pods`, {
    metadata: { name: "q" },
    spec: { ...unbound, hostNetwork: true, restartPolicy: "Never" },
  });
  for (const [name, body] of [
    ["p", { status }],
    ["q", { status: { nominatedNodeName: "n2" } }],
  ] as const) {
    const changed = await subject.ask("PATCH", `${NAMESPACE}/pods/${name}/status`, body, MERGE);
    assert.equal(changed.code, 200, changed.text);
  }
  const count = async (selector: string): Promise<number> => {
    const { code, body, text } = await subject.ask("GET", `/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`);
    assert.equal(code, 200, `${selector}: ${text}`);
    return body.items.length;
  };
  for (const [selector, those] of [
    ["metadata.name=p", 1],
    ["metadata.namespace=default", 2],
    ["spec.nodeName=n1", 1],
    ["spec.restartPolicy=Never", 1],
    ["spec.schedulerName=default-scheduler", 2],
    ["spec.serviceAccountName=default", 1],
    ["spec.hostNetwork=true", 1],
    ["status.phase=Running", 1],
    ["status.podIP=10.244.0.9", 1],
    ["status.nominatedNodeName=n2", 1],
  ] as const) {
    assert.equal(await count(selector), those, selector);
    assert.equal(await count(selector.replace("=", "!=")), 2 - those, selector);
  }
  assert.equal(await count("status.podIPs=10.244.0.9"), 0, "a label that is known, and empty for every pod");
  assert.equal((await subject.ask("GET", "/api/v1/pods?fieldSelector=spec.image%3Dx")).code, 400);
});
