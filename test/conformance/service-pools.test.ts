import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { until } from "../lab/until.ts";
import { assertCauses, assertHas, Services } from "./services.ts";
import { startSubject, type Subject, type SubjectOptions } from "./subject.ts";

const HTTP = { ports: [{ port: 80 }] };

/** A server with these ranges, for the tests within. */
function on(
  title: string,
  options: SubjectOptions,
  tests: (given: () => { subject: Subject; services: Services }) => void,
): void {
  void suite(title, () => {
    let subject: Subject;
    let services: Services;
    before(async () => {
      subject = await startSubject(options);
      services = new Services(subject);
    });
    after(() => subject.close());
    tests(() => ({ subject, services }));
  });
}

const full = (name: string): string =>
  `Internal error occurred: failed to allocate a serviceIP for Service "${name}": range is full`;

const CIDRS = "/apis/networking.k8s.io/v1/servicecidrs";
const READY = { type: "Ready", status: "True", reason: "", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
const offRange = (ip: string): string =>
  `Invalid spec.clusterIPs: Invalid value: ["${ip}"]: failed to allocate IP ${ip}: the provided network does not match the current range`;

on("10.96.0.0/28 alone", { serviceRanges: ["10.96.0.0/28"] }, (given) => {
  void test("SVC-116, SVC-132, SVC-133, SVC-135, SVC-136: a cluster of one family", async () => {
    const { services } = given();
    assertCauses(await services.create({ ...HTTP, ipFamilies: ["IPv6"] }), [
      'Invalid spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ]);
    assertCauses(await services.create({ ...HTTP, clusterIP: "fd00::7" }), [
      'Invalid spec.clusterIPs[0]: Invalid value: ["fd00::7"]: IPv6 is not configured on this cluster',
    ]);
    const REQUIRE =
      'Invalid spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services';
    assertCauses(await services.create({ ...HTTP, ipFamilyPolicy: "RequireDualStack" }), [REQUIRE]);
    const prefer = await services.create({ ...HTTP, ipFamilyPolicy: "PreferDualStack" });
    assertCauses(prefer, []);
    assertHas(prefer.spec, {
      ipFamilies: ["IPv4"],
      clusterIPs: [prefer.spec.clusterIP],
      ipFamilyPolicy: "PreferDualStack",
    });
    await services.remove(prefer.body.metadata.name);
    const families = async (spec: object): Promise<unknown[]> => {
      const { spec: made } = await services.made({ clusterIP: "None", ...spec });
      return [made.ipFamilies, made.ipFamilyPolicy];
    };
    assert.deepEqual(await families({}), [["IPv4", "IPv6"], "RequireDualStack"]);
    assert.deepEqual(await families({ ipFamilyPolicy: "PreferDualStack" }), [["IPv4", "IPv6"], "PreferDualStack"]);
    assert.deepEqual(await families({ ipFamilyPolicy: "SingleStack" }), [["IPv4"], "SingleStack"]);
    assert.deepEqual(await families({ ipFamilies: ["IPv6"] }), [["IPv6", "IPv4"], "RequireDualStack"]);
    assert.deepEqual(await families({ ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" }), [
      ["IPv6"],
      "SingleStack",
    ]);
    assert.deepEqual(await families({ ipFamilies: ["IPv6", "IPv4"] }), [["IPv6", "IPv4"], "RequireDualStack"]);
    // With a selector it is as any other.
    const selected = { ...HTTP, clusterIP: "None", selector: { a: "b" } };
    assertCauses(await services.create({ ...selected, ipFamilies: ["IPv6"] }), [
      'Invalid spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ]);
    assertCauses(await services.create({ ...selected, ipFamilyPolicy: "RequireDualStack" }), [REQUIRE]);
  });

  void test("SVC-117, SVC-119, SVC-120, SVC-126: a /28 has 14 addresses and no bands; then it is full", async () => {
    const { services } = given();
    // The network's and the broadcast address are never handed out, asked for or not.
    for (const ip of ["10.96.0.0", "10.96.0.15", "10.96.0.16", "10.95.255.255"]) {
      assertCauses(await services.create({ ...HTTP, clusterIP: ip }), [offRange(ip)]);
    }
    // The first is the API server's own.
    const found = new Map<number, string>();
    for (let index = 0; index < 13; index++) {
      const { metadata, spec } = await services.made(HTTP);
      found.set(Number(spec.clusterIP.split(".")[3]), metadata.name);
    }
    assert.deepEqual(
      [...found.keys()].sort((a, b) => a - b),
      Array.from({ length: 13 }, (_, index) => index + 2),
    );
    const over = await services.create(HTTP, { name: "over" });
    assert.deepEqual([over.code, over.reason, over.message], [500, "InternalError", full("over")]);
    assert.deepEqual(over.body.details, {
      causes: [{ message: full("over").replace("Internal error occurred: ", "") }],
    });
    await services.remove(found.get(7)!);
    assert.equal((await services.made(HTTP)).spec.clusterIP, "10.96.0.7");
  });

  void test("SVC-119, SVC-123: any ready range of the family serves; a /30 has two addresses", async () => {
    const { subject, services } = given();
    const made = await subject.ask("POST", CIDRS, { metadata: { name: "more" }, spec: { cidrs: ["10.97.0.0/30"] } });
    assert.equal(made.code, 201, made.text);
    await subject.ask("PUT", `${CIDRS}/more/status`, { ...made.body, status: { conditions: [READY] } });
    const explicit = await until("the new range to serve", async () => {
      const said = await services.create({ ...HTTP, clusterIP: "10.97.0.2" });
      return said.code === 201 && said;
    });
    assert.equal(explicit.spec.clusterIP, "10.97.0.2");
    assert.equal((await services.made(HTTP)).spec.clusterIP, "10.97.0.1", "one range is full, the other has one left");
    assert.equal((await services.create(HTTP, { name: "full" })).message, full("full"));
    for (const ip of ["10.97.0.0", "10.97.0.3"])
      assertCauses(await services.create({ ...HTTP, clusterIP: ip }), [offRange(ip)]);
  });
});

on("10.96.0.0/24 and fd00:10:96::/124", { serviceRanges: ["10.96.0.0/24", "fd00:10:96::/124"] }, (given) => {
  void test("SVC-117, SVC-119: the last address of an IPv6 range is one like any other", async () => {
    const { services } = given();
    const six = { ...HTTP, ipFamilies: ["IPv6"] };
    const found: string[] = [];
    for (let index = 0; index < 15; index++) found.push((await services.made(six)).spec.clusterIP);
    assert.deepEqual(
      found.sort(),
      Array.from({ length: 15 }, (_, index) => `fd00:10:96::${(index + 1).toString(16)}`),
    );
    assert.equal((await services.create(six, { name: "full" })).message, full("full"));
    assertCauses(await services.create({ ...six, clusterIP: "fd00:10:96::" }), [offRange("fd00:10:96::")]);
  });

  void test("SVC-119, SVC-120, SVC-121: automatic addresses come from the upper band, then from the lower one", async () => {
    const { services } = given();
    // 254 addresses, of which the API server holds the first; the lower band is 16 addresses.
    const take = async (count: number): Promise<number[]> => {
      const found: number[] = [];
      for (let index = 0; index < count; index++)
        found.push(Number((await services.made(HTTP)).spec.clusterIP.split(".")[3]));
      return found;
    };
    const upper = await take(238);
    assert.notDeepEqual(
      upper.slice(0, 10),
      upper.slice(0, 10).sort((a, b) => a - b),
      "each from a random start",
    );
    assert.deepEqual([new Set(upper).size, Math.min(...upper), Math.max(...upper)], [238, 17, 254]);
    assert.deepEqual(
      (await take(15)).sort((a, b) => a - b),
      Array.from({ length: 15 }, (_, index) => index + 2),
    );
    assert.equal((await services.create(HTTP)).code, 500);
  });
});

on("fd00:10:96::/112 and 10.96.0.0/20", { serviceRanges: ["fd00:10:96::/112", "10.96.0.0/20"] }, (given) => {
  void test("SVC-115, SVC-131: the first range's family is the primary one", async () => {
    const { services } = given();
    const single = (await services.made(HTTP)).spec;
    assert.deepEqual([single.ipFamilies, single.ipFamilyPolicy], [["IPv6"], "SingleStack"]);
    const dual = (await services.made({ ...HTTP, ipFamilyPolicy: "PreferDualStack" })).spec;
    assert.deepEqual(dual.ipFamilies, ["IPv6", "IPv4"]);
    assert.match(dual.clusterIP, /^fd00:10:96::/);
  });

  void test("SVC-122: an explicit address may be of either band", async () => {
    const { services } = given();
    for (const clusterIP of ["fd00:10:96::2", "fd00:10:96::ffff"]) {
      assert.equal((await services.made({ ...HTTP, clusterIP })).spec.clusterIP, clusterIP);
    }
  });

  void test("SVC-120, SVC-124, SVC-125, SVC-127, SVC-128: bands of a /20, and an address that is asked for", async () => {
    const { subject, services } = given();
    const four = { ...HTTP, ipFamilies: ["IPv4"] };
    for (let index = 0; index < 40; index++) {
      const [, , third, fourth] = (await services.made(four)).spec.clusterIP.split(".").map(Number);
      assert.ok(third * 256 + fourth > 256, `10.96.${third}.${fourth} is of the lower band`);
    }
    const made = await services.made({ ...HTTP, clusterIP: "10.96.0.9" }, { name: "asked" });
    assert.equal(made.spec.clusterIP, "10.96.0.9");
    const again = await services.create({ ...HTTP, clusterIP: "10.96.0.9" });
    assertCauses(again, [
      'Invalid spec.clusterIPs: Invalid value: ["10.96.0.9"]: failed to allocate IP 10.96.0.9: provided IP is already allocated',
    ]);
    for (const ip of ["10.96.16.0", "192.168.0.1", "10.96.0.0", "10.96.15.255"]) {
      assertCauses(await services.create({ ...HTTP, clusterIP: ip }), [offRange(ip)]);
    }
    const [address] = await services.addresses("asked");
    assert.equal(address.metadata.name, "10.96.0.9");
    assert.deepEqual(address.spec, { parentRef: { resource: "services", namespace: "default", name: "asked" } });
    await services.remove("asked");
    const gone = await subject.ask("GET", "/apis/networking.k8s.io/v1/ipaddresses/10.96.0.9");
    assert.equal(gone.code, 404);
    const { spec } = await services.made({ ...HTTP, clusterIP: "FD00:10:96:0::00AB" }, { name: "odd" });
    assert.deepEqual([spec.clusterIP, spec.clusterIPs], ["FD00:10:96:0::00AB", ["FD00:10:96:0::00AB"]]);
    const [odd] = await services.addresses("odd");
    assert.equal(odd.metadata.name, "fd00:10:96::ab");
  });

  void test("SVC-118: an IPv6 range of more than 2^64 addresses serves nobody", async () => {
    const { subject, services } = given();
    for (const [name, cidr] of [
      ["wide", "fd01::/63"],
      ["fitting", "fd02::/64"],
    ] as const) {
      const made = await subject.ask("POST", CIDRS, { metadata: { name }, spec: { cidrs: [cidr] } });
      assert.equal(made.code, 201, made.text);
      await subject.ask("PUT", `${CIDRS}/${name}/status`, { ...made.body, status: { conditions: [READY] } });
    }
    await until(
      "the fitting range to serve",
      async () => (await services.create({ ...HTTP, clusterIP: "fd02::7" })).code === 201,
    );
    assertCauses(await services.create({ ...HTTP, clusterIP: "fd01::7" }), [offRange("fd01::7")]);
  });
});
