import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const ALIAS = { type: "ExternalName", externalName: "a.example" };
const BALANCED = { ...HTTP, type: "LoadBalancer" };
const HINTS = "service.kubernetes.io/topology-aware-hints";
const DEPRECATED = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
const canonical = (path: string, text: string, form: string): string =>
  `${path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${form}")`;

const rows: [
  statement: string,
  about: string,
  spec: object,
  annotations: Record<string, string>,
  ...warnings: string[],
][] = [
  ["SVC-212, SVC-219", "nothing to say", HTTP, {}],
  [
    "SVC-212, SVC-219",
    "the old annotation",
    HTTP,
    { [HINTS]: "" },
    `annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`,
  ],
  [
    "SVC-213, SVC-219",
    "addresses in other forms",
    { ...HTTP, clusterIP: "FD00:10:96::213", externalIPs: ["1.2.3.4", "2001:DB8::1"], loadBalancerIP: "010.0.0.1" },
    {},
    canonical("spec.clusterIPs[0]", "FD00:10:96::213", "fd00:10:96::213"),
    canonical("spec.externalIPs[1]", "2001:DB8::1", "2001:db8::1"),
    DEPRECATED,
    'spec.loadBalancerIP: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
  ],
  [
    "SVC-213, SVC-219",
    "a mapped address",
    { ...HTTP, loadBalancerIP: "::ffff:1.2.3.4" },
    {},
    'spec.loadBalancerIP: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
  ],
  [
    "SVC-213, SVC-219",
    "an IPv6 address",
    { ...HTTP, loadBalancerIP: "FD00::7" },
    {},
    canonical("spec.loadBalancerIP", "FD00::7", "fd00::7"),
  ],
  ["SVC-213, SVC-219", "what is no address", { ...HTTP, loadBalancerIP: "x" }, {}],
  [
    "SVC-214, SVC-219",
    "a range in another form",
    { ...BALANCED, loadBalancerSourceRanges: ["10.0.0.0/8", "2001:DB8::/32"] },
    {},
    'spec.loadBalancerSourceRanges[1]: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
  ],
  ["SVC-214, SVC-219", "spaces round it hide it", { ...BALANCED, loadBalancerSourceRanges: [" 2001:DB8::/32"] }, {}],
  [
    "SVC-215, SVC-219",
    "headless",
    {
      ...HTTP,
      clusterIP: "None",
      loadBalancerIP: "1.2.3.4",
      externalIPs: ["2001:DB8::1"],
      sessionAffinity: "ClientIP",
    },
    {},
    "spec.loadBalancerIP is ignored for headless services",
    "spec.externalIPs is ignored for headless services",
    "spec.SessionAffinity is ignored for headless services",
    canonical("spec.externalIPs[0]", "2001:DB8::1", "2001:db8::1"),
  ],
  ...["ClusterIP", "NodePort", "LoadBalancer"].map((type): (typeof rows)[number] => [
    "SVC-216, SVC-219",
    `external addresses of ${type}`,
    { ...HTTP, type, externalIPs: ["1.2.3.4", "1.2.3.5"] },
    {},
    DEPRECATED,
  ]),
  [
    "SVC-217, SVC-219",
    "external addresses of an alias",
    { ...ALIAS, externalIPs: ["1.2.3.4"] },
    {},
    'spec.externalIPs is ignored when spec.type is "ExternalName"',
  ],
  ...["ClusterIP", "NodePort", "LoadBalancer"].map((type): (typeof rows)[number] => [
    "SVC-217, SVC-219",
    `an external name of ${type}`,
    { ...HTTP, type, externalName: "a.example" },
    {},
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  ]),
  [
    "SVC-218, SVC-219",
    "PreferClose",
    { ...HTTP, trafficDistribution: "PreferClose" },
    {},
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ],
  ["SVC-218, SVC-219", "PreferSameZone", { ...HTTP, trafficDistribution: "PreferSameZone" }, {}],
];
for (const [statement, about, spec, annotations, ...warnings] of rows) {
  void test(`${statement}: ${about}, on create and on update`, async () => {
    const made = await services.create(spec, { annotations });
    assertCauses(made, []);
    assert.deepEqual(made.warnings, warnings);
    const again = await services.patch(made.body.metadata.name, { spec: { selector: { a: "b" } } });
    assertCauses(again, []);
    assert.deepEqual(again.warnings, warnings);
  });
}

void test("SVC-219: a status is warned of too, and a refused Service is not", async () => {
  const { metadata } = await services.made({ ...BALANCED, trafficDistribution: "PreferClose" });
  const ingress = [{ ip: "1.2.3.4" }, { ip: "2001:DB8::1" }, { hostname: "a.example" }];
  const said = await services.status(metadata.name, { loadBalancer: { ingress } });
  assertCauses(said, []);
  assert.deepEqual(said.warnings, [canonical("status.loadBalancer.ingress[1]", "2001:DB8::1", "2001:db8::1")]);
  const refused = await services.create({ trafficDistribution: "PreferClose" });
  assert.deepEqual([refused.code, refused.warnings], [422, []]);
});
