import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, assertHas, PATH, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const BALANCED = { ...HTTP, type: "LoadBalancer" };
const AT = "status.loadBalancer.ingress";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

void test("SVC-036, SVC-037, SVC-038: the status of a load balancer", async () => {
  const { metadata, status } = await services.made(BALANCED);
  assert.deepEqual(status, { loadBalancer: {} });
  const ports = [
    { port: 80, protocol: "TCP" },
    { port: 70_000, protocol: "Pigeon", error: "not a reason" },
  ];
  const conditions = [
    {
      type: "example.com/A",
      status: "True",
      reason: "Because",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
    {
      type: "example.com/B",
      status: "False",
      reason: "Because",
      message: "b",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ];
  const ingress = [{ ip: "1.2.3.4", ports }, { hostname: "a.example" }, { ip: "1.2.3.5", ipMode: "Proxy" }];
  const said = await services.status(metadata.name, { loadBalancer: { ingress }, conditions });
  assertCauses(said, []);
  assert.deepEqual(said.body.status, {
    loadBalancer: {
      ingress: [{ ip: "1.2.3.4", ipMode: "VIP", ports }, { hostname: "a.example" }, { ip: "1.2.3.5", ipMode: "Proxy" }],
    },
    conditions,
  });
  // A strategic merge patch knows conditions by their type and replaces the list of addresses.
  const changed = { ...conditions[1], status: "Unknown" };
  const patch = { status: { conditions: [changed], loadBalancer: { ingress: [{ hostname: "b.example" }] } } };
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  const { body } = await subject.ask("PATCH", `${PATH}/${metadata.name}/status`, patch, { headers });
  assert.deepEqual(body.status, {
    loadBalancer: { ingress: [{ hostname: "b.example" }] },
    conditions: [conditions[0], changed],
  });
});

void test("SVC-102: only a load balancer has addresses in its status", async () => {
  for (const spec of [HTTP, { ...HTTP, type: "NodePort" }, { type: "ExternalName", externalName: "a.example" }]) {
    const { metadata } = await services.made(spec);
    assertCauses(await services.status(metadata.name, { loadBalancer: { ingress: [{ ip: "x", ipMode: "VIP" }] } }), [
      `Forbidden ${AT}: Forbidden: may only be used when \`spec.type\` is 'LoadBalancer'`,
    ]);
    assertCauses(await services.status(metadata.name, { loadBalancer: { ingress: [] } }), []);
  }
});

const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const rows: [statement: string, about: string, entry: object, ...causes: string[]][] = [
  ["SVC-103", "no address", { ip: "x" }, `Invalid ${AT}[0].ip: Invalid value: "x": ${NOT_AN_IP}`],
  [
    "SVC-103",
    "leading zeros",
    { ip: "01.2.3.4" },
    `Invalid ${AT}[0].ip: Invalid value: "01.2.3.4": must not have leading 0s`,
  ],
  ["SVC-103", "any address at all", { ip: "127.0.0.1" }],
  [
    "SVC-104",
    "a mode without address",
    { hostname: "a.example", ipMode: "VIP" },
    `Forbidden ${AT}[0].ipMode: Forbidden: may not be specified when \`ip\` is not set`,
  ],
  ...["", "vip"].map((ipMode): [string, string, object, string] => [
    "SVC-104",
    `mode "${ipMode}"`,
    { ip: "1.2.3.4", ipMode },
    `NotSupported ${AT}[0].ipMode: Unsupported value: "${ipMode}": supported values: "Proxy", "VIP"`,
  ]),
  ["SVC-104", "no mode, which is filled in", { ip: "1.2.3.4" }],
  ["SVC-105", "a bad name", { hostname: "A_b" }, `Invalid ${AT}[0].hostname: Invalid value: "A_b": ${SUBDOMAIN}`],
  [
    "SVC-105",
    "an IPv4 address as name",
    { hostname: "1.2.3.4" },
    `Invalid ${AT}[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`,
  ],
  [
    "SVC-105",
    "an IPv6 address as name",
    { hostname: "2001:db8::1" },
    `Invalid ${AT}[0].hostname: Invalid value: "2001:db8::1": ${SUBDOMAIN}`,
    `Invalid ${AT}[0].hostname: Invalid value: "2001:db8::1": must be a DNS name, not an IP address`,
  ],
  ["SVC-105", "address and name", { ip: "1.2.3.4", hostname: "a.example" }],
  ["SVC-105", "neither", {}],
];
for (const [statement, about, entry, ...causes] of rows) {
  void test(`${statement}: ${about}: ${causes.length === 0 ? "allowed" : "refused"}`, async () => {
    const { metadata } = await services.made(BALANCED);
    assertCauses(await services.status(metadata.name, { loadBalancer: { ingress: [entry] } }), causes);
  });
}

void test("SVC-106: /status takes metadata and status, the Service itself all but the status", async () => {
  const made = await services.made({ ...BALANCED, selector: { a: "b" } }, { labels: { old: "1" } });
  const { name } = made.metadata;
  const ingress = [{ ip: "1.2.3.4", ipMode: "VIP" }];
  const metadata = {
    ...made.metadata,
    labels: { new: "1" },
    annotations: { c: "d" },
    finalizers: ["example.com/hold"],
  };
  const put = await services.status(
    name,
    { loadBalancer: { ingress } },
    { spec: { ...HTTP, type: "NodePort" }, metadata },
  );
  assertCauses(put, []);
  assert.deepEqual([put.spec, put.body.status], [made.spec, { loadBalancer: { ingress } }]);
  assertHas(put.body.metadata, { labels: { new: "1" }, annotations: { c: "d" }, finalizers: ["example.com/hold"] });
  const headers = { "content-type": "application/merge-patch+json" };
  const patch = { metadata: { labels: { third: "1" }, finalizers: null }, spec: { selector: null } };
  const patched = await subject.ask("PATCH", `${PATH}/${name}/status`, patch, { headers });
  assert.deepEqual(patched.body.spec, made.spec);
  assertHas(patched.body.metadata, { labels: { new: "1", third: "1" }, finalizers: undefined });
  const status = { loadBalancer: { ingress: [{ ip: "9.9.9.9" }] }, conditions: [] };
  const main = await services.patch(name, { spec: { selector: { e: "f" } }, status });
  assert.deepEqual([main.spec.selector, main.body.status], [{ a: "b", e: "f" }, { loadBalancer: { ingress } }]);
  const replaced = await subject.ask("PUT", `${PATH}/${name}`, { ...main.body, status });
  assert.deepEqual([replaced.code, replaced.body.status], [200, { loadBalancer: { ingress } }]);
  const created = await subject.ask("POST", PATH, { metadata: { name: "with-status" }, spec: BALANCED, status });
  assert.deepEqual([created.code, created.body.status], [201, { loadBalancer: {} }]);
});
