import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, assertHas, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const SELECTED = { ...HTTP, clusterIP: "None", selector: { a: "b" } };
const POLICY = "spec.ipFamilyPolicy";
const dual = (what: string): string =>
  `Invalid ${POLICY}: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;

const made: [statement: string, about: string, spec: object, families: string[], policy: string][] = [
  ["SVC-129", "nothing said", HTTP, ["IPv4"], "SingleStack"],
  ["SVC-129", "headless without selector", { ...HTTP, clusterIP: "None" }, ["IPv4", "IPv6"], "RequireDualStack"],
  [
    "SVC-129",
    "headless with an empty selector",
    { ...HTTP, clusterIP: "None", selector: {} },
    ["IPv4", "IPv6"],
    "RequireDualStack",
  ],
  ["SVC-129, SVC-136", "headless with selector", SELECTED, ["IPv4"], "SingleStack"],
  ["SVC-131", "PreferDualStack", { ...HTTP, ipFamilyPolicy: "PreferDualStack" }, ["IPv4", "IPv6"], "PreferDualStack"],
  [
    "SVC-131",
    "RequireDualStack",
    { ...HTTP, ipFamilyPolicy: "RequireDualStack" },
    ["IPv4", "IPv6"],
    "RequireDualStack",
  ],
  [
    "SVC-131",
    "the other family first",
    { ...HTTP, ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6"] },
    ["IPv6", "IPv4"],
    "PreferDualStack",
  ],
  ["SVC-132", "an address of the other family", { ...HTTP, clusterIP: "fd00:10:96::132" }, ["IPv6"], "SingleStack"],
  [
    "SVC-132",
    "two addresses",
    {
      ...HTTP,
      clusterIP: "fd00:10:96::133",
      clusterIPs: ["fd00:10:96::133", "10.96.2.133"],
      ipFamilyPolicy: "PreferDualStack",
    },
    ["IPv6", "IPv4"],
    "PreferDualStack",
  ],
  [
    "SVC-135",
    "headless without selector, one family asked",
    { clusterIP: "None", ipFamilyPolicy: "SingleStack" },
    ["IPv4"],
    "SingleStack",
  ],
  [
    "SVC-135",
    "headless without selector, one family named",
    { clusterIP: "None", ipFamilies: ["IPv6"] },
    ["IPv6", "IPv4"],
    "RequireDualStack",
  ],
  [
    "SVC-136",
    "headless with selector, two families",
    { ...SELECTED, ipFamilyPolicy: "PreferDualStack" },
    ["IPv4", "IPv6"],
    "PreferDualStack",
  ],
];
for (const [statement, about, spec, ipFamilies, ipFamilyPolicy] of made) {
  void test(`${statement}: ${about}: ${ipFamilies.join(", ")} by ${ipFamilyPolicy}`, async () => {
    const { metadata, spec: found } = await services.made(spec);
    assertHas(found, { ipFamilies, ipFamilyPolicy });
    if (found.clusterIP === "None") {
      assert.deepEqual(found.clusterIPs, ["None"]);
      assert.deepEqual(await services.addresses(metadata.name), []);
    } else {
      const is = found.clusterIPs.map((ip: string) => (ip.includes(":") ? "IPv6" : "IPv4"));
      assert.deepEqual([is, found.clusterIP], [ipFamilies, found.clusterIPs[0]]);
    }
  });
}

void test("SVC-130: an update without policy keeps the old one; from an alias it is as on create", async () => {
  const prefer = await services.made({ ...HTTP, ipFamilyPolicy: "PreferDualStack" });
  const kept = await services.replace(prefer.metadata.name, { ports: [{ port: 81 }] });
  assertCauses(kept, []);
  assertHas(kept.spec, { ipFamilyPolicy: "PreferDualStack", clusterIPs: prefer.spec.clusterIPs });
  const alias = await services.made({ type: "ExternalName", externalName: "a.example" });
  const single = await services.replace(alias.metadata.name, HTTP);
  assertHas(single.spec, { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] });
  const other = await services.made({ type: "ExternalName", externalName: "a.example" });
  const headless = await services.replace(other.metadata.name, { ...HTTP, clusterIP: "None" });
  assertHas(headless.spec, { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] });
});

void test("SVC-134: one family alone has not two of anything", async () => {
  const two = { clusterIP: "10.96.2.134", clusterIPs: ["10.96.2.134", "fd00:10:96::134"] };
  assertCauses(await services.create({ ...HTTP, ...two }), [dual("cluster IPs")]);
  assertCauses(await services.create({ ...HTTP, ipFamilies: ["IPv4", "IPv6"] }), [dual("IP families")]);
  assertCauses(
    await services.create({ ...HTTP, ...two, ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "SingleStack" }),
    [dual("cluster IPs"), dual("IP families")],
  );
});

void test("SVC-137: of two families one address may be given, the other is found", async () => {
  const { spec } = await services.made({ ...HTTP, clusterIP: "fd00:10:96::137", ipFamilyPolicy: "RequireDualStack" });
  assert.equal(spec.clusterIPs[0], "fd00:10:96::137");
  assert.match(spec.clusterIPs[1], /^10\.96\.\d+\.\d+$/);
  assert.deepEqual(spec.ipFamilies, ["IPv6", "IPv4"]);
});

void test("SVC-138: the first family's address is the primary one", async () => {
  const { spec } = await services.made({ ...HTTP, ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" });
  assert.match(spec.clusterIP, /^fd00:10:96::/);
  assert.match(spec.clusterIPs[1], /^10\.96\./);
});

void test("SVC-139: a second family comes with a second address, found or given, and the first one stays", async () => {
  for (const [ipFamilyPolicy, given] of [
    ["PreferDualStack", undefined],
    ["RequireDualStack", "fd00:10:96::139"],
  ] as const) {
    const { metadata, spec } = await services.made(HTTP);
    const clusterIPs = given === undefined ? spec.clusterIPs : [spec.clusterIP, given];
    const { spec: grown, causes } = await services.modify(metadata.name, { ipFamilyPolicy, clusterIPs });
    assert.deepEqual(causes, []);
    assertHas(grown, { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy, clusterIP: spec.clusterIP });
    assert.equal(grown.clusterIPs[0], spec.clusterIP);
    if (given === undefined) assert.match(grown.clusterIPs[1], /^fd00:10:96::/);
    else assert.equal(grown.clusterIPs[1], given);
  }
});

void test("SVC-140: SingleStack alone cuts both lists and gives the second address back", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, ipFamilyPolicy: "RequireDualStack" });
  const cut = await services.patch(metadata.name, { spec: { ipFamilyPolicy: "SingleStack" } });
  assertCauses(cut, []);
  assertHas(cut.spec, { clusterIPs: [spec.clusterIP], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
  assert.equal((await services.addresses(metadata.name)).length, 1);
  assert.equal((await services.made({ ...HTTP, clusterIP: spec.clusterIPs[1] })).spec.clusterIP, spec.clusterIPs[1]);
});

void test("SVC-143: the one family that is kept must be the primary one", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, ipFamilyPolicy: "RequireDualStack" });
  const [, second] = spec.clusterIPs;
  const kept = { clusterIP: second, clusterIPs: [second], ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" };
  const once = (field: string): string => `Invalid ${field}: Invalid value: ["${second}"]: may not change once set`;
  assertCauses(await services.modify(metadata.name, kept), [once("spec.clusterIPs[0]"), once("spec.ipFamilies[0]")]);
});
