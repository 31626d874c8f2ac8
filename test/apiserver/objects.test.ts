import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster;
before(async () => {
  cluster = await createCluster();
});
after(() => cluster.close());

const services = "/api/v1/namespaces/default/services";
const configMaps = "/api/v1/namespaces/default/configmaps";
const service = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...more },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
});

void test("a created object has a uid, a creation time and a resourceVersion, and is read back at once", async () => {
  const created = await cluster.ask("POST", services, service("web"));
  assert.equal(created.code, 201);
  assert.match(created.body.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(created.body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const read = await cluster.ask("GET", `${services}/web`);
  assert.deepEqual(read.body, created.body);
});

void test("SVC-203: creating an existing name answers 409 AlreadyExists", async () => {
  await cluster.ask("POST", services, service("twice"));
  const again = await cluster.ask("POST", services, service("twice"));
  assert.equal(again.code, 409);
  assert.equal(again.body.reason, "AlreadyExists");
  assert.equal(again.body.message, 'services "twice" already exists');
});

void test("SVC-202: a missing namespace answers 404, a terminating one 403 with its cause", async () => {
  const missing = await cluster.ask("POST", "/api/v1/namespaces/nowhere/services", service("web"));
  assert.equal(missing.code, 404);
  assert.equal(missing.body.message, 'namespaces "nowhere" not found');
  await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: "ending" } });
  const ending = await cluster.ask("DELETE", "/api/v1/namespaces/ending");
  assert.equal(ending.body.status.phase, "Terminating");
  const refused = await cluster.ask("POST", "/api/v1/namespaces/ending/services", service("web"));
  assert.equal(refused.code, 403);
  assert.equal(refused.body.details.causes[0].reason, "NamespaceTerminating");
});

void test("a namespace goes when its finalizers are taken away through finalize, and not before", async () => {
  await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: "short" } });
  await cluster.ask("DELETE", "/api/v1/namespaces/short");
  const held = await cluster.ask("GET", "/api/v1/namespaces/short");
  assert.equal(held.code, 200);
  const finalized = await cluster.ask("PUT", "/api/v1/namespaces/short/finalize", { ...held.body, spec: {} });
  assert.equal(finalized.code, 200);
  assert.equal((await cluster.ask("GET", "/api/v1/namespaces/short")).code, 404);
});

void test("generateName makes different names with its prefix", async () => {
  const object = { metadata: { generateName: "many-" }, data: {} };
  const [one, two] = await Promise.all([
    cluster.ask("POST", configMaps, object),
    cluster.ask("POST", configMaps, object),
  ]);
  assert.match(one.body.metadata.name, /^many-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.notEqual(one.body.metadata.name, two.body.metadata.name);
});

void test("SVC-100: a stale resourceVersion or a wrong uid conflicts, an empty resourceVersion does not", async () => {
  const { body: first } = await cluster.ask("POST", services, service("versions"));
  const second = await cluster.ask("PUT", `${services}/versions`, {
    ...first,
    metadata: { ...first.metadata, labels: { a: "1" } },
  });
  assert.equal(second.code, 200);
  const stale = await cluster.ask("PUT", `${services}/versions`, {
    ...first,
    metadata: { ...first.metadata, labels: { a: "2" } },
  });
  assert.equal(stale.code, 409);
  assert.match(
    stale.body.message,
    /the object has been modified; please apply your changes to the latest version and try again$/,
  );
  const unconditional = await cluster.ask("PUT", `${services}/versions`, service("versions", { labels: { a: "3" } }));
  assert.equal(unconditional.code, 200);
  const other = service("versions", { uid: "00000000-0000-4000-8000-000000000000" });
  assert.equal((await cluster.ask("PUT", `${services}/versions`, other)).code, 409);
});

void test("SVC-101: a name or namespace that is not the URL's answers 400", async () => {
  assert.equal((await cluster.ask("PUT", `${services}/web`, service("other"))).code, 400);
  assert.equal((await cluster.ask("POST", services, service("far", { namespace: "kube-system" }))).code, 400);
});

void test("an update that changes nothing keeps the resourceVersion", async () => {
  const { body } = await cluster.ask("POST", configMaps, { metadata: { name: "same" }, data: { a: "1" } });
  const again = await cluster.ask("PUT", `${configMaps}/same`, body);
  assert.equal(again.body.metadata.resourceVersion, body.metadata.resourceVersion);
});

void test("SVC-189: PUT creates a Service that is not there, and refuses an EndpointSlice", async () => {
  assert.equal((await cluster.ask("PUT", `${services}/put-made`, service("put-made"))).code, 201);
  const slice = { metadata: { name: "s" }, addressType: "IPv4", endpoints: [] };
  const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/s";
  const refused = await cluster.ask("PUT", path, slice);
  assert.equal(refused.code, 404);
  assert.equal(refused.body.message, 'endpointslices.discovery.k8s.io "s" not found');
});

void test("SVC-190: deleting a Service answers the Service, deleting a ConfigMap a Status", async () => {
  await cluster.ask("POST", services, service("gone"));
  const answer = await cluster.ask("DELETE", `${services}/gone`);
  assert.equal(answer.body.kind, "Service");
  await cluster.ask("POST", configMaps, { metadata: { name: "gone" } });
  const status = await cluster.ask("DELETE", `${configMaps}/gone`);
  assert.equal(status.body.status, "Success");
  assert.equal(status.body.details.kind, "configmaps");
  assert.equal((await cluster.ask("DELETE", `${configMaps}/gone`)).code, 404);
});

void test("SVC-191: finalizers keep a deleted object until the last is gone, also through status", async () => {
  await cluster.ask("POST", services, service("held", { finalizers: ["example.com/hold"] }));
  const deleted = await cluster.ask("DELETE", `${services}/held`);
  assert.notEqual(deleted.body.metadata.deletionTimestamp, undefined);
  const { body } = await cluster.ask("GET", `${services}/held`);
  const freed = { ...body, metadata: { ...body.metadata, finalizers: [] } };
  assert.equal((await cluster.ask("PUT", `${services}/held/status`, freed)).code, 200);
  assert.equal((await cluster.ask("GET", `${services}/held`)).code, 404);
});

void test("SVC-192: a deleted Service takes the Endpoints of its name along", async () => {
  await cluster.ask("POST", services, service("pair"));
  await cluster.ask("POST", "/api/v1/namespaces/default/endpoints", { metadata: { name: "pair" } });
  await cluster.ask("DELETE", `${services}/pair`);
  assert.equal((await cluster.ask("GET", "/api/v1/namespaces/default/endpoints/pair")).code, 404);
});

void test("propagationPolicy is kept as a finalizer, preconditions are checked", async () => {
  const { body } = await cluster.ask("POST", configMaps, { metadata: { name: "owner" } });
  const wrong = { preconditions: { uid: "another" } };
  assert.equal((await cluster.ask("DELETE", `${configMaps}/owner`, wrong)).code, 409);
  const right = { preconditions: { uid: body.metadata.uid }, propagationPolicy: "Foreground" };
  const held = await cluster.ask("DELETE", `${configMaps}/owner`, right);
  assert.deepEqual(held.body.metadata.finalizers, ["foregroundDeletion"]);
});

const pod = (name: string, containers = ["c"]) => ({
  metadata: { name },
  spec: { containers: containers.map((container) => ({ name: container, image: "x" })) },
});
const pods = "/api/v1/namespaces/default/pods";

void test("a pod on a node stays for its grace period, a second deletion only shortens it, zero ends it", async () => {
  await cluster.ask("POST", pods, pod("slow"));
  const bound = await cluster.ask("POST", `${pods}/slow/binding`, { target: { kind: "Node", name: "n1" } });
  assert.equal(bound.code, 201);
  const first = await cluster.ask("DELETE", `${pods}/slow`, { gracePeriodSeconds: 20 });
  assert.equal(first.body.metadata.deletionGracePeriodSeconds, 20);
  const longer = await cluster.ask("DELETE", `${pods}/slow`, { gracePeriodSeconds: 60 });
  assert.equal(longer.body.metadata.deletionGracePeriodSeconds, 20);
  const shorter = await cluster.ask("DELETE", `${pods}/slow`, { gracePeriodSeconds: 5 });
  assert.equal(shorter.body.metadata.deletionGracePeriodSeconds, 5);
  assert.ok(Date.parse(shorter.body.metadata.deletionTimestamp) < Date.parse(first.body.metadata.deletionTimestamp));
  await cluster.ask("DELETE", `${pods}/slow?gracePeriodSeconds=0`);
  assert.equal((await cluster.ask("GET", `${pods}/slow`)).code, 404);
});

void test("a pod is bound to a node once", async () => {
  await cluster.ask("POST", pods, pod("bound"));
  const target = { target: { kind: "Node", name: "n1" } };
  assert.equal((await cluster.ask("POST", `${pods}/bound/binding`, target)).code, 201);
  assert.equal((await cluster.ask("POST", `${pods}/bound/binding`, target)).code, 409);
  assert.equal((await cluster.ask("GET", `${pods}/bound`)).body.spec.nodeName, "n1");
});

void test("SVC-194: deletecollection with a selector deletes the matches alone and lists them", async () => {
  for (const [name, tier] of [
    ["d1", "x"],
    ["d2", "x"],
    ["d3", "y"],
  ]) {
    await cluster.ask("POST", configMaps, { metadata: { name, labels: { tier } } });
  }
  const answer = await cluster.ask("DELETE", `${configMaps}?labelSelector=tier%3Dx`);
  assert.deepEqual(
    answer.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["d1", "d2"],
  );
  assert.equal((await cluster.ask("GET", `${configMaps}/d3`)).code, 200);
  assert.equal((await cluster.ask("GET", `${configMaps}/d1`)).code, 404);
});

void test("dryRun=All answers as the write would and stores nothing", async () => {
  const made = await cluster.ask("POST", `${configMaps}?dryRun=All`, { metadata: { name: "dry" } });
  assert.equal(made.code, 201);
  assert.equal((await cluster.ask("GET", `${configMaps}/dry`)).code, 404);
  await cluster.ask("POST", configMaps, { metadata: { name: "wet" }, data: { a: "1" } });
  await cluster.ask("PUT", `${configMaps}/wet?dryRun=All`, { metadata: { name: "wet" }, data: { a: "2" } });
  await cluster.ask("DELETE", `${configMaps}/wet?dryRun=All`);
  assert.equal((await cluster.ask("GET", `${configMaps}/wet`)).body.data.a, "1");
  assert.equal((await cluster.ask("POST", `${configMaps}?dryRun=Some`, { metadata: { name: "dry" } })).code, 422);
});

void test("SVC-224: an unknown field warns by default, is refused under Strict, and is silent under Ignore", async () => {
  const odd = (name: string) => ({ metadata: { name }, data: {}, dta: 1, extra: 2 });
  const warned = await cluster.ask("POST", configMaps, odd("odd1"));
  assert.equal(warned.code, 201);
  assert.match(String(warned.headers["warning"]), /299 - "unknown field \\"dta\\""/);
  const strict = await cluster.ask("POST", `${configMaps}?fieldValidation=Strict`, odd("odd2"));
  assert.equal(strict.code, 400);
  assert.match(strict.body.message, /strict decoding error: unknown field "dta", unknown field "extra"$/);
  const ignored = await cluster.ask("POST", `${configMaps}?fieldValidation=Ignore`, odd("odd3"));
  assert.equal(ignored.headers["warning"], undefined);
});

void test("20 writers that patch one object without a version all succeed", async () => {
  await cluster.ask("POST", configMaps, { metadata: { name: "busy" } });
  const codes = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const headers = { "content-type": "application/merge-patch+json" };
      const answer = await cluster.ask("PATCH", `${configMaps}/busy`, { data: { [`k${index}`]: "v" } }, { headers });
      return answer.code;
    }),
  );
  assert.deepEqual(new Set(codes), new Set([200]));
  assert.equal(Object.keys((await cluster.ask("GET", `${configMaps}/busy`)).body.data).length, 20);
});
