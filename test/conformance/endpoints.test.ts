import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const ENDPOINTS = "/api/v1/namespaces/default/endpoints";
let next = 0;
const post = (subsets: unknown, metadata: object = {}): Promise<Answered> =>
  subject.ask("POST", ENDPOINTS, { metadata: { name: `e${next++}`, ...metadata }, subsets });
const address = { ip: "10.0.0.1" };

/** `REASON field: message` of every cause, in order. */
const causes = ({ code, body, text }: Answered): string[] => {
  assert.equal(code, 422, text);
  assert.equal(body.reason, "Invalid");
  return body.details.causes.map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );
};
const warnings = ({ headers }: Answered): string[] =>
  (headers["warning"] ?? "").split(/,\s*(?=299 )/).map((each) => each.replace(/^299 - "(.*)"$/, "$1"));

void test("SVC-225: Endpoints are in a namespace, `ep` for short, one word for one and many, without subresources", async () => {
  const { resources } = (await subject.ask("GET", "/api/v1")).body;
  const found = resources.filter(({ name }: { name: string }) => name.startsWith("endpoints"));
  assert.deepEqual(
    found.map(({ name, singularName, namespaced, shortNames }: Answered["body"]) => [
      name,
      singularName,
      namespaced,
      shortNames,
    ]),
    [["endpoints", "endpoints", true, ["ep"]]],
  );
  assert.equal((await post([], { name: "sub" })).code, 201);
  assert.equal((await subject.ask("GET", `${ENDPOINTS}/sub/status`)).code, 404);
  assert.equal((await subject.ask("PUT", `${ENDPOINTS}/fresh`, { metadata: { name: "fresh" } })).code, 201);
  assert.equal((await subject.ask("DELETE", `${ENDPOINTS}/fresh`)).body.kind, "Status");
});

void test("SVC-226, SVC-227: all fields are kept, and a port without a protocol is TCP", async () => {
  const targetRef = { kind: "Pod", name: "p", namespace: "default" };
  const subsets = [
    {
      addresses: [{ ip: "10.0.0.1", hostname: "one", nodeName: "n1", targetRef }],
      notReadyAddresses: [{ ip: "fd00::1" }],
      ports: [
        { name: "a", port: 80, appProtocol: "http" },
        { name: "b", port: 53, protocol: "UDP" },
      ],
    },
  ];
  const { code, body, text } = await post(subsets);
  assert.equal(code, 201, text);
  subsets[0]!.ports[0] = { ...subsets[0]!.ports[0]!, protocol: "TCP" } as never;
  assert.deepEqual(body.subsets, subsets);
});

void test("SVC-228: a subset has addresses, ready or not", async () => {
  assert.deepEqual(causes(await post([{ ports: [{ port: 80 }] }])), [
    "FieldValueRequired subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
  ]);
});

void test("SVC-229, CTL-098: an address is an IP that others can be sent to", async () => {
  for (const where of ["addresses", "notReadyAddresses"]) {
    const field = `subsets[0].${where}[0].ip`;
    const start = (ip: string): string => `FieldValueInvalid ${field}: Invalid value: ${JSON.stringify(ip)}: `;
    const bad = async (ip: string): Promise<string> => {
      const [found = "", ...more] = causes(await post([{ [where]: [{ ip }] }]));
      assert.deepEqual(more, []);
      assert.ok(found.startsWith(start(ip)), found);
      return found.slice(start(ip).length);
    };
    assert.deepEqual(causes(await post([{ [where]: [{ ip: "nowhere" }] }])), [
      `${start("nowhere")}must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`,
      `${start("nowhere")}must be a valid IP address`,
    ]);
    assert.match(await bad("0.0.0.0"), /unspecified/);
    assert.match(await bad("::"), /unspecified/);
    assert.match(await bad("127.0.0.1"), /loopback/);
    assert.match(await bad("::1"), /loopback/);
    assert.match(await bad("169.254.1.1"), /link-local/);
    assert.match(await bad("fe80::1"), /link-local/);
    assert.match(await bad("224.0.0.1"), /link-local multicast/);
    assert.match(await bad("ff02::1"), /link-local multicast/);
  }
});

void test("SVC-230: host names are labels, node names are names of Nodes", async () => {
  const found = causes(await post([{ addresses: [{ ...address, hostname: "Upper", nodeName: "no/de" }] }]));
  assert.deepEqual(
    found.map((cause) => cause.split(": ")[0]),
    ["FieldValueInvalid subsets[0].addresses[0].hostname", "FieldValueInvalid subsets[0].addresses[0].nodeName"],
  );
  assert.equal((await post([{ addresses: [{ ...address, hostname: "a-1", nodeName: "n.example.com" }] }])).code, 201);
  assert.equal(causes(await post([{ addresses: [{ ...address, hostname: "a.b" }] }])).length, 1);
});

void test("SVC-231: ports need names where there are several, a number, a protocol; names may repeat", async () => {
  const ports = async (...given: object[]): Promise<string[]> => {
    const answered = await post([{ addresses: [address], ports: given }]);
    return answered.code === 201 ? [] : causes(answered).map((cause) => cause.split(": ").slice(0, 2).join(": "));
  };
  assert.deepEqual(await ports({ port: 80 }), []);
  assert.deepEqual(await ports({ port: 80 }, { port: 81, name: "b" }), [
    "FieldValueRequired subsets[0].ports[0].name: Required value",
  ]);
  assert.deepEqual(await ports({ port: 80, name: "a" }, { port: 81, name: "a" }), []);
  assert.deepEqual(await ports({ port: 80, name: "A" }), ["FieldValueInvalid subsets[0].ports[0].name: Invalid value"]);
  for (const port of [0, 65_536]) {
    assert.deepEqual(await ports({ port }), ["FieldValueInvalid subsets[0].ports[0].port: Invalid value"]);
  }
  assert.deepEqual(await ports({ port: 1, protocol: "tcp" }), [
    "FieldValueNotSupported subsets[0].ports[0].protocol: Unsupported value",
  ]);
  assert.deepEqual(await ports({ port: 1, appProtocol: "a b" }), [
    "FieldValueInvalid subsets[0].ports[0].appProtocol: Invalid value",
  ]);
});

void test("SVC-232, SVC-235: a subset may have no ports, and subsets stay as they were written", async () => {
  const subsets = [
    { addresses: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }] },
    { addresses: [{ ip: "10.0.0.2" }], ports: [{ port: 80, protocol: "TCP" }] },
    { addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80, protocol: "TCP" }] },
  ];
  const { code, body, text } = await post(subsets);
  assert.equal(code, 201, text);
  assert.deepEqual(body.subsets, subsets);
});

void test("SVC-234: names are subdomains, wider than those of Services", async () => {
  assert.equal((await post([], { name: "a.b.c" })).code, 201);
  assert.equal((await post([], { name: `${"a".repeat(63)}.${"b".repeat(100)}` })).code, 201);
  assert.match(causes(await post([], { name: "A" }))[0] ?? "", /^FieldValueInvalid metadata\.name: /);
});

void test("SVC-236: selected by name and namespace only", async () => {
  await post([], { name: "selected" });
  const list = await subject.ask(
    "GET",
    `${ENDPOINTS}?fieldSelector=metadata.name%3Dselected,metadata.namespace%3Ddefault`,
  );
  assert.equal(list.body.items.length, 1);
  assert.equal((await subject.ask("GET", `${ENDPOINTS}?fieldSelector=subsets%3Dx`)).code, 400);
});

void test("SVC-220: every request for Endpoints is answered with the advice to use EndpointSlices", async () => {
  const advice = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
  await post([], { name: "advised" });
  for (const [method, path, body] of [
    ["GET", ENDPOINTS, undefined],
    ["GET", `${ENDPOINTS}/advised`, undefined],
    ["GET", "/api/v1/endpoints", undefined],
    ["POST", ENDPOINTS, { metadata: { name: "posted" } }],
    ["PUT", `${ENDPOINTS}/advised`, { metadata: { name: "advised" } }],
    ["DELETE", `${ENDPOINTS}/advised`, undefined],
    ["DELETE", `${ENDPOINTS}?fieldSelector=metadata.name%3Dposted`, undefined],
  ] as const) {
    assert.deepEqual(warnings(await subject.ask(method, path, body)), [advice], `${method} ${path}`);
  }
  const headers = { "content-type": "application/merge-patch+json" };
  await post([], { name: "patched" });
  assert.deepEqual(warnings(await subject.ask("PATCH", `${ENDPOINTS}/patched`, {}, { headers })), [advice]);
  const watch = await subject.open("GET", `${ENDPOINTS}?watch=true&timeoutSeconds=1`);
  assert.equal(watch.headers["warning"], `299 - "${advice}"`);
  watch.destroy();
});

void test("SVC-221: odd forms of addresses are warned about, unless the controller wrote them", async () => {
  const subsets = [{ addresses: [{ ip: "FD00::1" }], notReadyAddresses: [{ ip: "fd00:0::2" }] }];
  const warned = warnings(await post(subsets)).slice(1);
  assert.equal(warned.length, 2, warned.join());
  assert.match(warned[0] ?? "", /subsets\[0\]\.addresses\[0\]\.ip.*RFC 5952.*fd00::1/);
  assert.match(warned[1] ?? "", /subsets\[0\]\.notReadyAddresses\[0\]\.ip.*RFC 5952.*fd00::2/);
  const labels = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
  assert.equal(warnings(await post(subsets, { labels })).length, 1);
});
