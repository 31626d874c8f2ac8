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
const DUAL = { ...HTTP, ipFamilyPolicy: "RequireDualStack" };
const ALIAS = { type: "ExternalName", externalName: "a.example" };
const NONE = { clusterIP: "None", clusterIPs: ["None"] };
const ONCE = "may not change once set";
const invalid = (field: string, value: unknown, why = ONCE): string =>
  `Invalid ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;

void test("SVC-093: the address of a Service stays, and so does having one", async () => {
  const { metadata, spec } = await services.made(HTTP);
  const other = "10.96.0.93";
  assertCauses(await services.modify(metadata.name, { clusterIP: other, clusterIPs: [other] }), [
    invalid("spec.clusterIPs[0]", [other]),
  ]);
  assertCauses(await services.modify(metadata.name, NONE), [invalid("spec.clusterIPs[0]", ["None"])]);
  const { metadata: headless } = await services.made({ ...HTTP, clusterIP: "None", selector: { a: "b" } });
  assertCauses(await services.modify(headless.name, { clusterIP: other, clusterIPs: [other] }), [
    invalid("spec.clusterIPs[0]", [other]),
  ]);
  const dual = await services.made(DUAL);
  const [first] = dual.spec.clusterIPs;
  assertCauses(await services.modify(dual.metadata.name, { clusterIPs: [first, "fd00:10:96::93"] }), [
    invalid("spec.clusterIPs[1]", [first, "fd00:10:96::93"]),
  ]);
  assert.equal((await services.read(metadata.name)).spec.clusterIP, spec.clusterIP);
});

void test("SVC-094: the primary address cannot be changed while the second one comes or goes", async () => {
  const single = await services.made(HTTP);
  const two = ["10.96.0.94", "fd00:10:96::94"];
  const grown = {
    clusterIP: two[0],
    clusterIPs: two,
    ipFamilies: ["IPv4", "IPv6"],
    ipFamilyPolicy: "RequireDualStack",
  };
  assertCauses(await services.modify(single.metadata.name, grown), [invalid("spec.clusterIPs[0]", two)]);
  const dual = await services.made(DUAL);
  const shrunk = { clusterIP: two[0], clusterIPs: [two[0]], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };
  assertCauses(await services.modify(dual.metadata.name, shrunk), [invalid("spec.clusterIPs[0]", [two[0]])]);
});

void test("SVC-095, SVC-141: whoever lets go of the second family must say SingleStack", async () => {
  for (const ipFamilyPolicy of ["RequireDualStack", "PreferDualStack"]) {
    const { metadata, spec } = await services.made({ ...HTTP, ipFamilyPolicy });
    const field = "spec.ipFamilyPolicy";
    const ip = invalid(field, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP");
    const family = invalid(field, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family");
    const fewer = { clusterIPs: spec.clusterIPs.slice(0, 1), ipFamilies: spec.ipFamilies.slice(0, 1) };
    assertCauses(await services.modify(metadata.name, { clusterIPs: fewer.clusterIPs }), [ip]);
    assertCauses(await services.modify(metadata.name, { ipFamilies: fewer.ipFamilies }), [family]);
    assertCauses(await services.modify(metadata.name, fewer), [ip, family]);
    const said = await services.modify(metadata.name, { ...fewer, ipFamilyPolicy: "SingleStack" });
    assertCauses(said, []);
    assertHas(said.spec, fewer);
  }
});

void test("SVC-096: the primary family stays, unless the Service is headless or an alias on either side", async () => {
  const { metadata, spec } = await services.made(HTTP);
  assertCauses(await services.modify(metadata.name, { ipFamilies: ["IPv6"] }), [
    invalid("spec.clusterIPs[0]", spec.clusterIP, "expected an IPv6 value as indicated by `ipFamilies[0]`"),
  ]);
  const cleared = { clusterIP: "fd00:10:96::96", clusterIPs: ["fd00:10:96::96"], ipFamilies: ["IPv6"] };
  assertCauses(await services.modify(metadata.name, cleared), [
    invalid("spec.clusterIPs[0]", ["fd00:10:96::96"]),
    invalid("spec.ipFamilies[0]", ["IPv6"]),
  ]);
  const { metadata: headless } = await services.made({ ...HTTP, ...NONE, selector: { a: "b" }, ipFamilies: ["IPv4"] });
  const moved = await services.modify(headless.name, { ipFamilies: ["IPv6"] });
  assertCauses(moved, []);
  assert.deepEqual(moved.spec.ipFamilies, ["IPv6"]);
  // Headless-ness changes: the addresses are told of, the families are not.
  assertCauses(
    await services.modify(headless.name, {
      ...cleared,
      clusterIP: "fd00:10:96::97",
      clusterIPs: ["fd00:10:96::97"],
    }),
    [invalid("spec.clusterIPs[0]", ["fd00:10:96::97"])],
  );
  const alias = await services.modify(metadata.name, { ...ALIAS });
  assertCauses(alias, []);
  assertCauses(await services.modify(metadata.name, { ...HTTP, type: "ClusterIP", ipFamilies: ["IPv6"] }), []);
});

void test("SVC-097: primary and secondary family cannot change places", async () => {
  const { metadata, spec } = await services.made(DUAL);
  const clusterIPs = [...spec.clusterIPs].reverse();
  const ipFamilies = ["IPv6", "IPv4"];
  assertCauses(await services.modify(metadata.name, { clusterIP: clusterIPs[0], clusterIPs, ipFamilies }), [
    invalid("spec.clusterIPs[0]", clusterIPs),
    invalid("spec.clusterIPs[1]", clusterIPs),
    invalid("spec.ipFamilies[0]", ipFamilies),
    invalid("spec.ipFamilies[0]", ipFamilies),
  ]);
});

void test("SVC-098: by way of an alias a Service may have any address and family", async () => {
  const { metadata } = await services.made(HTTP);
  assertCauses(await services.modify(metadata.name, ALIAS), []);
  const other = {
    ...HTTP,
    type: "ClusterIP",
    clusterIP: "fd00:10:96::98",
    ipFamilies: ["IPv6"],
    ipFamilyPolicy: "SingleStack",
  };
  const said = await services.modify(metadata.name, other);
  assertCauses(said, []);
  assertHas(said.spec, { clusterIPs: ["fd00:10:96::98"], ipFamilies: ["IPv6"] });
});

void test("SVC-099: all the rest may change", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, selector: { a: "b" } });
  const change = {
    type: "NodePort",
    selector: { c: "d" },
    ports: [{ name: "x", port: 81, protocol: "UDP", targetPort: "y", nodePort: 30_099 }],
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 7 } },
    internalTrafficPolicy: "Local",
    externalTrafficPolicy: "Local",
    publishNotReadyAddresses: true,
    externalIPs: ["1.2.3.4"],
  };
  const said = await services.modify(metadata.name, change);
  assertCauses(said, []);
  assertHas(said.spec, { ...change, clusterIP: spec.clusterIP });
  const back = await services.modify(metadata.name, { ...spec, type: "ClusterIP", externalIPs: undefined });
  assertCauses(back, []);
});

void test("SVC-100: a version that is no more, or another object, is a conflict; no version is no condition", async () => {
  const made = await services.made(HTTP);
  const { name, uid, resourceVersion } = made.metadata;
  const changed = await services.modify(name, { selector: { a: "b" } });
  assert.equal(changed.code, 200);
  const stale = await services.replace(name, HTTP, { resourceVersion });
  assert.deepEqual([stale.code, stale.reason], [409, "Conflict"]);
  assert.equal(
    stale.message,
    `Operation cannot be fulfilled on services "${name}": the object has been modified; please apply your changes to the latest version and try again`,
  );
  const latest = { resourceVersion: changed.body.metadata.resourceVersion };
  for (const [index, metadata] of [latest, {}, { resourceVersion: "" }, { uid }].entries()) {
    assertCauses(await services.replace(name, { ...HTTP, selector: { index: String(index) } }, metadata), []);
  }
  const other = await services.replace(name, HTTP, { uid: "00000000-0000-0000-0000-000000000000" });
  assert.deepEqual([other.code, other.reason], [409, "Conflict"]);
  assert.match(other.message, /Precondition failed: UID in precondition: 0{8}-.*, UID in object meta: /);
});

void test("SVC-101: name and namespace are the URL's", async () => {
  const { metadata } = await services.made(HTTP);
  const named = await services.replace(metadata.name, HTTP, { name: "another" });
  assert.deepEqual([named.code, named.reason], [400, "BadRequest"]);
  assert.equal(named.message, `the name of the object (another) does not match the name on the URL (${metadata.name})`);
  const placed = await services.replace(metadata.name, HTTP, { namespace: "another" });
  assert.deepEqual([placed.code, placed.reason], [400, "BadRequest"]);
  assert.equal(placed.message, "the namespace of the provided object does not match the namespace sent on the request");
  const created = await services.create(HTTP, { namespace: "another" });
  assert.deepEqual([created.code, created.reason], [400, "BadRequest"]);
});
