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
const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const MAPPED = "must not be an IPv4-mapped IPv6 address";
const external = (ip: string, why: string): Row => [
  "SVC-072",
  ip,
  { ...HTTP, externalIPs: ["1.2.3.4", ip] },
  `Invalid spec.externalIPs[1]: Invalid value: "${ip}": ${why}`,
];
const LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)";
const LINK_LOCAL = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
const MULTICAST = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
const clusterIP = (ip: string): object => ({ ...HTTP, clusterIP: ip, clusterIPs: [ip] });
const many = (...clusterIPs: string[]): object => ({ ...HTTP, clusterIP: clusterIPs[0], clusterIPs });
const refused = (at: string, value: string | readonly string[], why: string): string =>
  `Invalid ${at}: Invalid value: ${JSON.stringify(value)}: ${why}`;

const rows: Row[] = [
  ["SVC-072", "good addresses", { ...HTTP, externalIPs: ["1.2.3.4", "2001:db8::1", "224.0.1.1", "ff05::1"] }],
  external("x", NOT_AN_IP),
  external("", NOT_AN_IP),
  external("1.2.3.4/32", NOT_AN_IP),
  external("fe80::1%eth0", NOT_AN_IP),
  external("0.0.0.0", "may not be unspecified (0.0.0.0)"),
  external("::", "may not be unspecified (::)"),
  external("127.1.2.3", LOOPBACK),
  external("::1", LOOPBACK),
  external("169.254.1.1", LINK_LOCAL),
  external("febf::1", LINK_LOCAL),
  external("224.0.0.251", MULTICAST),
  external("ff02::1", MULTICAST),
  [
    "SVC-075",
    "two first values",
    { ...HTTP, clusterIP: "10.96.0.75", clusterIPs: ["10.96.1.75"] },
    refused("spec.clusterIPs", ["10.96.1.75"], "first value must match `clusterIP`"),
  ],
  [
    "SVC-075",
    "the plural alone",
    { ...HTTP, clusterIPs: ["10.96.0.75"] },
    refused("spec.clusterIPs", ["10.96.0.75"], "must be empty when `clusterIP` is not specified"),
  ],
  [
    "SVC-076",
    "no family",
    { ...HTTP, ipFamilies: ["ipv4"] },
    'NotSupported spec.ipFamilies[0]: Unsupported value: "ipv4": supported values: "IPv4", "IPv6"',
  ],
  [
    "SVC-076",
    "a family twice",
    { ...HTTP, ipFamilies: ["IPv6", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    'Duplicate spec.ipFamilies[1]: Duplicate value: "IPv6"',
  ],
  [
    "SVC-076",
    "no family, twice",
    { ...HTTP, ipFamilies: ["x", "x"], ipFamilyPolicy: "RequireDualStack" },
    'NotSupported spec.ipFamilies[0]: Unsupported value: "x": supported values: "IPv4", "IPv6"',
    'NotSupported spec.ipFamilies[1]: Unsupported value: "x": supported values: "IPv4", "IPv6"',
    'Duplicate spec.ipFamilies[1]: Duplicate value: "x"',
  ],
  ...["", "DualStack"].map((ipFamilyPolicy): Row => [
    "SVC-077",
    `policy "${ipFamilyPolicy}"`,
    { ...HTTP, ipFamilyPolicy },
    `NotSupported spec.ipFamilyPolicy: Unsupported value: "${ipFamilyPolicy}": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"`,
  ]),
  [
    "SVC-078",
    "None with company",
    many("None", "10.96.0.78"),
    refused("spec.clusterIPs", ["None", "10.96.0.78"], "'None' must be the first and only value"),
  ],
  ["SVC-078", "None as company", many("10.96.0.78", "None"), refused("spec.clusterIPs[1]", "None", NOT_AN_IP)],
  ["SVC-078", "none", clusterIP("none"), refused("spec.clusterIPs[0]", "none", NOT_AN_IP)],
  ["SVC-079", "no address", many("10.96.0.79", "x"), refused("spec.clusterIPs[1]", "x", NOT_AN_IP)],
  [
    "SVC-079",
    "three addresses of two families",
    { ...many("10.96.0.79", "fd00:10:96::79", "fd00:10:96::80"), ipFamilyPolicy: "RequireDualStack" },
    refused("spec.clusterIPs", ["10.96.0.79", "fd00:10:96::79", "fd00:10:96::80"], "may only hold up to 2 values"),
  ],
  [
    "SVC-079",
    "two addresses of one family",
    { ...many("10.96.0.79", "10.96.1.79"), ipFamilyPolicy: "RequireDualStack" },
    refused("spec.clusterIPs", ["10.96.0.79", "10.96.1.79"], "may specify no more than one IP for each IP family"),
  ],
  [
    "SVC-079",
    "what is no address hides that the rest is of one family, and not of the right one",
    { ...many("10.96.0.79", "10.96.1.79", "x"), ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" },
    refused("spec.clusterIPs[2]", "x", NOT_AN_IP),
    refused("spec.clusterIPs", ["10.96.0.79", "10.96.1.79", "x"], "may only hold up to 2 values"),
  ],
  [
    "SVC-080",
    "an address of the other family",
    { ...clusterIP("10.96.0.80"), ipFamilies: ["IPv6"] },
    refused("spec.clusterIPs[0]", "10.96.0.80", "expected an IPv6 value as indicated by `ipFamilies[0]`"),
  ],
  [
    "SVC-080",
    "both crosswise",
    { ...many("fd00:10:96::80", "10.96.0.80"), ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    refused("spec.clusterIPs[0]", "fd00:10:96::80", "expected an IPv4 value as indicated by `ipFamilies[0]`"),
    refused("spec.clusterIPs[1]", "10.96.0.80", "expected an IPv6 value as indicated by `ipFamilies[1]`"),
  ],
  [
    "SVC-002, SVC-081",
    "leading zeros",
    clusterIP("010.96.0.81"),
    refused("spec.clusterIPs[0]", "010.96.0.81", "must not have leading 0s"),
  ],
  [
    "SVC-002, SVC-081",
    "a mapped address",
    clusterIP("::ffff:10.96.0.81"),
    refused("spec.clusterIPs[0]", "::ffff:10.96.0.81", MAPPED),
  ],
  [
    "SVC-002, SVC-081",
    "external: leading zeros",
    { ...HTTP, externalIPs: ["010.1.1.1"] },
    refused("spec.externalIPs[0]", "010.1.1.1", "must not have leading 0s"),
  ],
  [
    "SVC-002, SVC-081",
    "external: a mapped address",
    { ...HTTP, externalIPs: ["::ffff:1.2.3.4"] },
    refused("spec.externalIPs[0]", "::ffff:1.2.3.4", MAPPED),
  ],
  ...(
    [
      ["10.0.0.1/24", "must not have bits set beyond the prefix length"],
      ["10.0.0.0/08", "must not have leading 0s in IP or prefix length"],
      ["010.0.0.0/8", "must not have leading 0s in IP or prefix length"],
      ["::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"],
      ["2001:db8::1/64", "must not have bits set beyond the prefix length"],
    ] as const
  ).map(([range, why]): Row => [
    "SVC-002, SVC-081",
    range,
    { ...BALANCED, loadBalancerSourceRanges: [range] },
    refused("spec.LoadBalancerSourceRanges[0]", range, why),
  ]),
];
for (const [statement, about, spec, ...causes] of rows) {
  void test(`${statement}: ${about}: ${causes.length === 0 ? "allowed" : "refused"}`, async () => {
    assertCauses(await services.create(spec), causes);
  });
}

void test("SVC-074: an address that is odd and clear is taken as it is written, with a warning", async () => {
  const said = await services.create({ ...HTTP, ...clusterIP("FD00:10:96:0::74"), externalIPs: ["2001:DB8::0074"] });
  assertCauses(said, []);
  assert.deepEqual([said.spec.clusterIPs, said.spec.externalIPs], [["FD00:10:96:0::74"], ["2001:DB8::0074"]]);
  assert.deepEqual(said.warnings, [
    'spec.clusterIPs[0]: IPv6 address "FD00:10:96:0::74" should be in RFC 5952 canonical format ("fd00:10:96::74")',
    'spec.externalIPs[0]: IPv6 address "2001:DB8::0074" should be in RFC 5952 canonical format ("2001:db8::74")',
    "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
  ]);
  const { metadata } = await services.made(BALANCED);
  const status = await services.status(metadata.name, { loadBalancer: { ingress: [{ ip: "2001:DB8::74" }] } });
  assertCauses(status, []);
  assert.equal(status.body.status.loadBalancer.ingress[0].ip, "2001:DB8::74");
  assert.equal(status.warnings.length, 1);
});
