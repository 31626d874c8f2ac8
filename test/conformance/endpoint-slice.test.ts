import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
let next = 0;
const slice = (more: object = {}, metadata: object = {}): object => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `s${next++}`, ...metadata },
  addressType: "IPv4",
  endpoints: [],
  ...more,
});
const post = (more: object = {}, metadata: object = {}): Promise<Answered> =>
  subject.ask("POST", SLICES, slice(more, metadata));
const causes = ({ code, body, text }: Answered): string[] => {
  assert.equal(code, 422, text);
  return body.details.causes.map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );
};
/** Reason and field of each cause. */
const places = (answered: Answered): string[] => causes(answered).map((cause) => cause.slice(0, cause.indexOf(": ")));
const endpoint = (more: object) => ({ endpoints: [{ addresses: ["10.0.0.1"], ...more }] });

void test("SVC-238: in a namespace, without short name or subresources; names are subdomains; PUT does not create", async () => {
  const { resources } = (await subject.ask("GET", "/apis/discovery.k8s.io/v1")).body;
  assert.deepEqual(
    resources.map(({ name, namespaced, shortNames }: Answered["body"]) => [name, namespaced, shortNames]),
    [["endpointslices", true, undefined]],
  );
  assert.equal((await post({}, { name: "a.b" })).code, 201);
  assert.deepEqual(places(await post({}, { name: "A" })), ["FieldValueInvalid metadata.name"]);
  assert.equal((await subject.ask("PUT", `${SLICES}/new`, slice({}, { name: "new" }))).code, 404);
});

void test("SVC-239: the generation counts changes of anything but metadata, and of labels", async () => {
  assert.equal((await post({}, { name: "counted", generation: 7 })).body.metadata.generation, 1);
  const change = async (patch: object): Promise<number> => {
    const { body, text, code } = await subject.ask("PATCH", `${SLICES}/counted`, patch, MERGE);
    assert.equal(code, 200, text);
    return body.metadata.generation;
  };
  assert.equal(await change({ metadata: { annotations: { a: "b" } } }), 1);
  assert.equal(await change({ metadata: { labels: { a: "b" } } }), 2);
  assert.equal(await change({ ports: [{ port: 80 }] }), 3);
  assert.equal(await change({ ports: [{ port: 80, name: "", protocol: "TCP" }] }), 3);
});

void test("SVC-240: the address type is one of three, and for good", async () => {
  assert.deepEqual(causes(await post({ addressType: "" }))[0], "FieldValueRequired addressType: Required value");
  assert.match(
    causes(await post({ addressType: "IPX" }))[0] ?? "",
    /^FieldValueNotSupported addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"$/,
  );
  await post({}, { name: "typed" });
  const { code, body } = await subject.ask("PATCH", `${SLICES}/typed`, { addressType: "IPv6" }, MERGE);
  assert.equal(code, 422);
  assert.ok(
    body.details.causes.some(
      ({ field, reason }: Answered["body"]) => field === "addressType" && reason === "FieldValueInvalid",
    ),
  );
});

void test("SVC-241: at most 1000 endpoints, and then nothing else is looked at; at most 20000 ports", async () => {
  const many = Array.from({ length: 1001 }, () => ({ addresses: ["nonsense"] }));
  assert.deepEqual(places(await post({ endpoints: many })), ["FieldValueTooMany endpoints"]);
  const whole = Array.from({ length: 1000 }, (_, at) => ({ addresses: [`10.0.${at >> 8}.${at & 255}`] }));
  assert.equal((await post({ endpoints: whole })).code, 201);
  const ports = Array.from({ length: 20_001 }, (_, at) => ({ name: `p${at}`, port: 1 }));
  assert.ok(places(await post({ ports })).includes("FieldValueTooMany ports"));
});

void test("SVC-242: an endpoint has from 1 to 100 addresses", async () => {
  assert.deepEqual(places(await post({ endpoints: [{ addresses: [] }] })), [
    "FieldValueRequired endpoints[0].addresses",
  ]);
  const addresses = Array.from({ length: 101 }, (_, at) => `10.0.0.${at}`);
  assert.deepEqual(places(await post({ endpoints: [{ addresses }] })), ["FieldValueTooMany endpoints[0].addresses"]);
  assert.equal((await post({ endpoints: [{ addresses: addresses.slice(1) }] })).code, 201);
});

const addressed = (addressType: string, ...addresses: string[]) => post({ addressType, endpoints: [{ addresses }] });

void test("SVC-243, CTL-098: IPv4 slices: syntax at the address, another family at the list, special ranges at the address", async () => {
  assert.deepEqual(places(await addressed("IPv4", "nowhere")), ["FieldValueInvalid endpoints[0].addresses[0]"]);
  assert.deepEqual(places(await addressed("IPv4", "fd00::1")), ["FieldValueInvalid endpoints[0].addresses"]);
  for (const ip of ["0.0.0.0", "127.0.0.1", "169.254.0.1", "224.0.0.1"]) {
    assert.deepEqual(
      places(await addressed("IPv4", "10.0.0.1", ip)),
      ["FieldValueInvalid endpoints[0].addresses[1]"],
      ip,
    );
  }
});

void test("SVC-244, CTL-098: IPv6 slices want the canonical form", async () => {
  assert.equal((await addressed("IPv6", "fd00::1")).code, 201);
  assert.match(
    causes(await addressed("IPv6", "FD00:0::1"))[0] ?? "",
    /^FieldValueInvalid endpoints\[0\]\.addresses\[0\]: .*canonical form \("fd00::1"\)/,
  );
  assert.deepEqual(places(await addressed("IPv6", "10.0.0.1")), ["FieldValueInvalid endpoints[0].addresses"]);
  for (const ip of ["::", "::1", "fe80::1", "ff02::1"]) {
    assert.deepEqual(places(await addressed("IPv6", ip)), ["FieldValueInvalid endpoints[0].addresses[0]"], ip);
  }
});

void test("SVC-245: FQDN slices want at least two labels, with a dot at the end or not", async () => {
  assert.equal((await addressed("FQDN", "a.example.com", "b.example.com.")).code, 201);
  for (const name of ["single", "under_score.example"]) {
    assert.deepEqual(places(await addressed("FQDN", name)), ["FieldValueInvalid endpoints[0].addresses[0]"], name);
  }
  assert.deepEqual(places(await addressed("FQDN", "")), ["FieldValueRequired endpoints[0].addresses[0]"]);
});

void test("SVC-247: node names are subdomains, host names labels, zones anything", async () => {
  assert.deepEqual(places(await post(endpoint({ nodeName: "No", hostname: "Ho" }))), [
    "FieldValueInvalid endpoints[0].nodeName",
    "FieldValueInvalid endpoints[0].hostname",
  ]);
  assert.equal((await post(endpoint({ nodeName: "n.example", hostname: "ho-1", zone: "Any Zone!" }))).code, 201);
});

void test("SVC-248: conditions may be left out and need not agree", async () => {
  const none = await post(endpoint({}));
  assert.deepEqual(none.body.endpoints, [{ addresses: ["10.0.0.1"], conditions: {} }]);
  for (const conditions of [{}, { ready: true, serving: false, terminating: true }, { terminating: true }]) {
    const { code, body, text } = await post(endpoint({ conditions }));
    assert.equal(code, 201, text);
    assert.deepEqual(body.endpoints[0].conditions, conditions);
  }
});

void test("SVC-249: hints name at most 8 zones and 8 nodes, each once", async () => {
  const zones = (...names: string[]) => endpoint({ hints: { forZones: names.map((name) => ({ name })) } });
  const nodes = (...names: string[]) => endpoint({ hints: { forNodes: names.map((name) => ({ name })) } });
  const nine = Array.from({ length: 9 }, (_, at) => `z${at}`);
  assert.deepEqual(places(await post(zones(...nine))), ["FieldValueTooMany endpoints[0].hints.forZones"]);
  assert.deepEqual(places(await post(nodes(...nine))), ["FieldValueTooMany endpoints[0].hints.forNodes"]);
  assert.deepEqual(places(await post(zones("a", "a"))), ["FieldValueDuplicate endpoints[0].hints.forZones[1].name"]);
  assert.deepEqual(places(await post(nodes("a", "a"))), ["FieldValueDuplicate endpoints[0].hints.forNodes[1].name"]);
  assert.deepEqual(places(await post(zones("not valid!"))), ["FieldValueInvalid endpoints[0].hints.forZones[0].name"]);
  assert.deepEqual(places(await post(nodes("not valid!"))), ["FieldValueInvalid endpoints[0].hints.forNodes[0].name"]);
  const { body } = await post(endpoint({ hints: { forZones: [{ name: "a" }], forNodes: [{ name: "n" }] } }));
  assert.deepEqual(body.endpoints[0].hints, { forZones: [{ name: "a" }], forNodes: [{ name: "n" }] });
});

void test("SVC-250: ports: name and protocol have defaults, names are unique labels, numbers are not judged", async () => {
  const { body } = await post({ ports: [{ port: 80 }] });
  assert.deepEqual(body.ports, [{ name: "", port: 80, protocol: "TCP" }]);
  assert.deepEqual((await post({ ports: [{ name: "all" }] })).body.ports, [{ name: "all", protocol: "TCP" }]);
  assert.deepEqual(places(await post({ ports: [{ name: "a" }, { name: "a", protocol: "UDP" }] })), [
    "FieldValueDuplicate ports[1].name",
  ]);
  assert.deepEqual(places(await post({ ports: [{ port: 1 }, { port: 2 }] })), ["FieldValueDuplicate ports[1].name"]);
  assert.deepEqual(places(await post({ ports: [{ name: "A" }] })), ["FieldValueInvalid ports[0].name"]);
  assert.deepEqual(places(await post({ ports: [{ protocol: "X" }] })), ["FieldValueNotSupported ports[0].protocol"]);
  assert.deepEqual(places(await post({ ports: [{ appProtocol: "a b" }] })), ["FieldValueInvalid ports[0].appProtocol"]);
  assert.equal((await post({ ports: [{ port: 70_000 }] })).code, 201);
});

void test("SVC-251: the old topology of an endpoint is dropped without a word, however much of it there is", async () => {
  const labels = Array.from({ length: 20 }, (_, at) => [`k${at}`, "v"] as const);
  const deprecatedTopology = { "kubernetes.io/hostname": "n1", ...Object.fromEntries(labels) };
  const { code, body, headers } = await post(endpoint({ deprecatedTopology }), { name: "topology" });
  assert.deepEqual([code, headers["warning"]], [201, undefined]);
  const put = slice(endpoint({ addresses: ["10.0.0.2"], deprecatedTopology }), { name: "topology" });
  const changed = await subject.ask("PUT", `${SLICES}/topology`, put);
  assert.equal(changed.code, 200, changed.text);
  for (const [one] of [body.endpoints, changed.body.endpoints]) {
    assert.deepEqual([one.deprecatedTopology, one.nodeName], [undefined, undefined]);
  }
});

void test("SVC-252, SVC-253: no label is needed, and no Service either", async () => {
  assert.equal((await post()).code, 201);
  const labels = {
    "kubernetes.io/service-name": "nowhere",
    "endpointslice.kubernetes.io/managed-by": "me",
    "service.kubernetes.io/headless": "",
  };
  assert.equal((await post({}, { name: "labelled", labels })).code, 201);
  const changed = await subject.ask("PATCH", `${SLICES}/labelled`, { ports: [{ port: 80 }] }, MERGE);
  assert.deepEqual([changed.code, changed.body.metadata.labels], [200, labels]);
  const unlabelled = await subject.ask("PATCH", `${SLICES}/labelled`, { metadata: { labels: null } }, MERGE);
  assert.deepEqual([unlabelled.code, unlabelled.body.metadata.labels], [200, undefined]);
  await subject.ask("PATCH", `${SLICES}/labelled`, { metadata: { labels } }, MERGE);
  const mirrored = { metadata: { name: "unmirrored", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } } };
  assert.equal((await subject.ask("POST", "/api/v1/namespaces/default/endpoints", mirrored)).code, 201);
  const found = await subject.ask("GET", `${SLICES}?labelSelector=kubernetes.io/service-name%3Dnowhere`);
  assert.equal(found.body.items.length, 1);
});

void test("SVC-255: selected by name and namespace only", async () => {
  await post({}, { name: "selected" });
  const list = await subject.ask(
    "GET",
    `${SLICES}?fieldSelector=metadata.name%3Dselected,metadata.namespace%3Ddefault`,
  );
  assert.equal(list.body.items.length, 1);
  assert.equal((await subject.ask("GET", `${SLICES}?fieldSelector=addressType%3DIPv4`)).code, 400);
  await post({}, { name: "of-web", labels: { "kubernetes.io/service-name": "web" } });
  const { body } = await subject.ask("GET", `${SLICES}?labelSelector=kubernetes.io/service-name%3Dweb`);
  assert.deepEqual(
    body.items.map(({ metadata }: Answered["body"]) => metadata.name),
    ["of-web"],
  );
});

void test("SVC-254: by default nobody is asked whether they may hold an owner's deletion up", async () => {
  const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
  const rules = [{ apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["create"] }];
  await subject.ask("POST", `${rbac}/roles`, { metadata: { name: "slicer" }, rules });
  await subject.ask("POST", `${rbac}/rolebindings`, {
    metadata: { name: "slicer" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "slicer" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
  });
  const jane = await subject.client("CN=jane");
  const ownerReferences = [{ apiVersion: "v1", kind: "Service", name: "web", uid: "1", blockOwnerDeletion: true }];
  const made = await until("the role to be known", async () => {
    const answered = await subject.ask("POST", SLICES, slice({}, { ownerReferences }), { as: jane });
    return answered.code === 403 ? undefined : answered;
  });
  assert.deepEqual([made.code, made.body.metadata.ownerReferences], [201, ownerReferences], made.text);
});

void test("SVC-222: host names as addresses are warned about on create; odd forms of addresses are refused before any warning", async () => {
  const warnings = ({ headers }: Answered): string => headers["warning"] ?? "";
  assert.match(
    warnings(await addressed("FQDN", "a.example.com")),
    /^299 - "spec.addressType: FQDN endpoints are deprecated"$/,
  );
  const odd = { endpoints: [{ addresses: ["010.0.0.1"] }] };
  const refused = await post(odd);
  assert.equal(refused.code, 422, "a leading zero is not merely odd");
  await post({ addressType: "FQDN", endpoints: [{ addresses: ["a.example.com"] }] }, { name: "quiet" });
  const update = await subject.ask("PATCH", `${SLICES}/quiet`, { metadata: { labels: { a: "b" } } }, MERGE);
  assert.equal(warnings(update), "", "told on create only");
});
