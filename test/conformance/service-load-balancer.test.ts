import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, Services, type Row } from "./services.ts";
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
const LOCAL = { ...BALANCED, externalTrafficPolicy: "Local" };
const ALIAS = { type: "ExternalName", externalName: "a.example" };
const ONLY = "Forbidden: may only be used when `type` is 'LoadBalancer'";
const NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
const ONCE = "may not change once set";
const POLICY = 'supported values: "Cluster", "Local"';
const HEALTH = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
const RANGES = "spec.LoadBalancerSourceRanges";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const rows: Row[] = [
  ...["ClusterIP", "NodePort", "ExternalName"].map((type): Row => [
    "SVC-082",
    `ranges on ${type}`,
    { ...HTTP, externalName: "a.example", type, loadBalancerSourceRanges: ["10.0.0.0/8", "x"] },
    `Forbidden ${RANGES}: ${ONLY}`,
    `Invalid ${RANGES}[1]: Invalid value: "x": ${NOT_A_CIDR}`,
  ]),
  ["SVC-083", "spaces round a range", { ...BALANCED, loadBalancerSourceRanges: [" 10.0.0.0/8\t", "2001:db8::/32"] }],
  [
    "SVC-083",
    "what is no range",
    { ...BALANCED, loadBalancerSourceRanges: ["10.0.0.0/8", " 10.0.0.1 ", "10.0.0.0/33", ""] },
    `Invalid ${RANGES}[1]: Invalid value: "10.0.0.1": ${NOT_A_CIDR}`,
    `Invalid ${RANGES}[2]: Invalid value: "10.0.0.0/33": ${NOT_A_CIDR}`,
    `Invalid ${RANGES}[3]: Invalid value: "": ${NOT_A_CIDR}`,
  ],
  ...[true, false].flatMap((allocateLoadBalancerNodePorts) =>
    ["ClusterIP", "NodePort", "ExternalName"].map((type): Row => [
      "SVC-085",
      `allocateLoadBalancerNodePorts ${allocateLoadBalancerNodePorts} on ${type}`,
      { ...HTTP, externalName: "a.example", type, allocateLoadBalancerNodePorts },
      `Forbidden spec.allocateLoadBalancerNodePorts: ${ONLY}`,
    ]),
  ),
  ["SVC-086", "a class", { ...BALANCED, loadBalancerClass: "example.com/internal" }],
  [
    "SVC-086",
    "a class on a NodePort",
    { ...HTTP, type: "NodePort", loadBalancerClass: "-" },
    `Forbidden spec.loadBalancerClass: ${ONLY}`,
  ],
  ["SVC-086", "a class on an alias", { ...ALIAS, loadBalancerClass: "a" }, `Forbidden spec.loadBalancerClass: ${ONLY}`],
  [
    "SVC-086",
    "a bad class",
    { ...BALANCED, loadBalancerClass: "example.com/-" },
    `Invalid spec.loadBalancerClass: Invalid value: "example.com/-": ${QUALIFIED}`,
  ],
  [
    "SVC-086",
    "an empty class",
    { ...BALANCED, loadBalancerClass: "" },
    'Invalid spec.loadBalancerClass: Invalid value: "": name part must be non-empty',
    `Invalid spec.loadBalancerClass: Invalid value: "": ${QUALIFIED}`,
  ],
  ...[HTTP, ALIAS].map((spec): Row => [
    "SVC-088",
    `a policy on ${JSON.stringify(spec)}`,
    { ...spec, externalTrafficPolicy: "Local" },
    'Invalid spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ]),
  ...[{ type: "NodePort" }, { type: "LoadBalancer" }, { externalIPs: ["1.2.3.4"] }].map((spec): Row => [
    "SVC-088",
    `an unknown policy on ${JSON.stringify(spec)}`,
    { ...HTTP, ...spec, externalTrafficPolicy: "local" },
    `NotSupported spec.externalTrafficPolicy: Unsupported value: "local": ${POLICY}`,
  ]),
  ...[HTTP, { ...HTTP, type: "NodePort", externalTrafficPolicy: "Local" }, BALANCED, ALIAS].map((spec): Row => [
    "SVC-089",
    `a health check's port on ${JSON.stringify(spec)}`,
    { ...spec, healthCheckNodePort: 30_089 },
    `Invalid spec.healthCheckNodePort: Invalid value: 30089: ${HEALTH}`,
  ]),
  ["SVC-091", "Local", { ...HTTP, internalTrafficPolicy: "Local" }],
  ...["", "local"].map((internalTrafficPolicy): Row => [
    "SVC-091",
    `"${internalTrafficPolicy}"`,
    { ...HTTP, internalTrafficPolicy },
    `NotSupported spec.internalTrafficPolicy: Unsupported value: "${internalTrafficPolicy}": ${POLICY}`,
  ]),
  ["SVC-091", "a policy on an alias", { ...ALIAS, internalTrafficPolicy: "Local" }],
  [
    "SVC-091",
    "an unknown policy on an alias",
    { ...ALIAS, internalTrafficPolicy: "x" },
    `NotSupported spec.internalTrafficPolicy: Unsupported value: "x": ${POLICY}`,
  ],
  ...["", "preferclose", "PreferZone"].map((trafficDistribution): Row => [
    "SVC-092",
    `"${trafficDistribution}"`,
    { ...HTTP, trafficDistribution },
    `NotSupported spec.trafficDistribution: Unsupported value: "${trafficDistribution}": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"`,
  ]),
];
for (const [statement, about, spec, ...causes] of rows) {
  void test(`${statement}: ${about}: ${causes.length === 0 ? "allowed" : "refused"}`, async () => {
    assertCauses(await services.create(spec), causes);
  });
}

const ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges";
const AT = `metadata.annotations[${ANNOTATION}]`;

void test("SVC-084: ranges in an annotation count where the field is empty", async () => {
  const said = (spec: object, ranges: string) => services.create(spec, { annotations: { [ANNOTATION]: ranges } });
  for (const spec of [HTTP, { ...HTTP, type: "NodePort" }, ALIAS]) {
    assertCauses(await said(spec, ""), [`Forbidden ${AT}: ${ONLY}`]);
    assertCauses(await said(spec, "x"), [
      `Forbidden ${AT}: ${ONLY}`,
      `Invalid ${AT}: Invalid value: "x": ${NOT_A_CIDR}`,
    ]);
  }
  for (const good of ["", "  ", "10.0.0.0/8", " 10.0.0.0/8 , 2001:db8::/32 "])
    assertCauses(await said(BALANCED, good), []);
  assertCauses(await said(BALANCED, "10.0.0.0/8, x,,10.0.0.1/8"), [
    `Invalid ${AT}: Invalid value: "x": ${NOT_A_CIDR}`,
    `Invalid ${AT}: Invalid value: "": ${NOT_A_CIDR}`,
    `Invalid ${AT}: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length`,
  ]);
  assertCauses(await said({ ...BALANCED, loadBalancerSourceRanges: ["10.0.0.0/8"] }, "x"), []);
  // A bad one can be stored while the field hides it; as long as it stays the same it is not judged again.
  const { body } = await said({ ...BALANCED, loadBalancerSourceRanges: ["10.0.0.0/8"] }, "x");
  const { name } = body.metadata;
  assertCauses(await services.modify(name, { loadBalancerSourceRanges: undefined }), []);
  assertCauses(await services.patch(name, { metadata: { annotations: { [ANNOTATION]: "y" } } }), [
    `Invalid ${AT}: Invalid value: "y": ${NOT_A_CIDR}`,
  ]);
  assertCauses(await services.patch(name, { spec: { type: "NodePort" } }), [`Forbidden ${AT}: ${ONLY}`]);
});

void test("SVC-087: the class of a load balancer stays from the moment it becomes one", async () => {
  const { metadata: plain } = await services.made(BALANCED);
  const changed = (value: string, ...more: string[]): string[] => [
    `Invalid spec.loadBalancerClass: Invalid value: ${value}: ${ONCE}`,
    ...more,
  ];
  assertCauses(await services.patch(plain.name, { spec: { loadBalancerClass: "a" } }), changed('"a"'));
  const { metadata } = await services.made({ ...BALANCED, loadBalancerClass: "a" });
  assertCauses(await services.patch(metadata.name, { spec: { loadBalancerClass: "b" } }), changed('"b"'));
  assertCauses(await services.patch(metadata.name, { spec: { loadBalancerClass: null } }), changed("null"));
  const bad = `Invalid spec.loadBalancerClass: Invalid value: "-": ${QUALIFIED}`;
  assertCauses(await services.patch(metadata.name, { spec: { loadBalancerClass: "-" } }), changed('"-"', bad, bad));
  const { metadata: other } = await services.made({ ...HTTP, type: "NodePort" });
  assertCauses(await services.modify(other.name, { type: "LoadBalancer", loadBalancerClass: "b" }), []);
});

void test("SVC-090: a health check's port cannot change while it is needed", async () => {
  const { metadata } = await services.made({ ...LOCAL, healthCheckNodePort: 30_080 });
  assertCauses(await services.modify(metadata.name, { healthCheckNodePort: 30_081 }), [
    "Forbidden spec.healthCheckNodePort: Forbidden: field is immutable",
  ]);
  const cluster = await services.modify(metadata.name, { externalTrafficPolicy: "Cluster" });
  assertCauses(cluster, []);
  const again = await services.modify(metadata.name, { externalTrafficPolicy: "Local", healthCheckNodePort: 30_081 });
  assert.deepEqual([again.causes, again.spec.healthCheckNodePort], [[], 30_081]);
});

void test("SVC-092: trafficDistribution may be changed and taken away on every type", async () => {
  for (const spec of [HTTP, { ...HTTP, clusterIP: "None" }, { ...HTTP, type: "NodePort" }, BALANCED, ALIAS]) {
    const { metadata } = await services.made({ ...spec, trafficDistribution: "PreferClose" });
    for (const trafficDistribution of ["PreferSameZone", "PreferSameNode", "PreferClose", undefined]) {
      const said = await services.modify(metadata.name, { trafficDistribution });
      assert.deepEqual([said.code, said.spec.trafficDistribution], [200, trafficDistribution]);
    }
  }
});
