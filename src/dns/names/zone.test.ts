import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { numberOf, said, type Asked } from "../../../test/dns/said.ts";
import { testContents, zonesOf } from "../../../test/dns/testns.ts";
import { lookup } from "./lookup.ts";
import type { Lookup } from "./record.ts";
import type { ZoneOptions } from "./zone.ts";

const contents = testContents();
const ask = (name: string, type: Asked, options: Partial<ZoneOptions>): Lookup | undefined =>
  lookup(contents, zonesOf(options), name === "" ? [] : name.split("."), numberOf(type));
const askFor =
  (options: Partial<ZoneOptions>) =>
  (name: string, type: Asked): string[] =>
    said(ask(name, type, options));
const owner = (name: string, type: Asked, options: Partial<ZoneOptions>): string | undefined =>
  ask(name, type, options)?.answer.authority[0]?.name;

void describe("several zones in one block", () => {
  const options = { zones: ["in-addr.arpa", "cluster.local", "example.org", "sub.example.org"] };
  const asked = askFor(options);

  void test("DNS-124: a name is answered in each zone, and what it leads to is in the zone it was asked in", () => {
    for (const zone of ["cluster.local", "example.org", "sub.example.org"]) {
      assert.deepEqual(asked(`svc1.testns.svc.${zone}`, "A"), ["A 10.0.0.1"]);
      assert.deepEqual(asked(`_http._tcp.svc1.testns.svc.${zone}`, "SRV"), [
        `+ svc1.testns.svc.${zone} A 10.0.0.1`,
        `SRV 0 100 80 svc1.testns.svc.${zone}`,
      ]);
      assert.deepEqual(asked(zone, "NS"), [`+ ns.dns.${zone} A 10.0.0.10`, `NS ns.dns.${zone}`]);
      assert.equal(owner(`nothing.testns.svc.${zone}`, "A", options), zone);
    }
    assert.deepEqual(asked("svc1.testns.svc.other.org", "A"), ["elsewhere"]);
  });

  void test("DNS-041: PTR leads to the first zone that is no reverse zone", () => {
    assert.deepEqual(asked("1.0.0.10.in-addr.arpa", "PTR"), ["PTR svc1.testns.svc.cluster.local"]);
  });

  void test("DNS-051: an ExternalName is followed from one zone into another", () => {
    const other = testContents();
    const spec = { type: "ExternalName", externalName: "svc1.testns.svc.example.org" };
    const metadata = { name: "across", namespace: "testns" };
    other.setService("testns/across", { apiVersion: "v1", kind: "Service", metadata, spec }, []);
    const found = lookup(other, zonesOf(options), "across.testns.svc.cluster.local".split("."), 1);
    assert.deepEqual(said(found), ["A 10.0.0.1", "CNAME svc1.testns.svc.example.org"]);
  });

  void test("without a zone of names there is nothing for PTR to lead to", () => {
    assert.throws(() => zonesOf({ zones: ["in-addr.arpa"] }), /in-addr\.arpa: at least one must be no reverse zone/);
  });

  void test("the root may be the zone", () => {
    const root = askFor({ zones: [""] });
    assert.deepEqual(root("svc1.testns.svc", "A"), ["A 10.0.0.1"]);
    assert.deepEqual(root("_http._tcp.svc1.testns.svc", "SRV"), [
      "+ svc1.testns.svc A 10.0.0.1",
      "SRV 0 100 80 svc1.testns.svc",
    ]);
    assert.deepEqual(root("", "SOA"), ["SOA ns.dns hostmaster 1700000000 7200 1800 86400 5"]);
    assert.deepEqual(root("example.com", "A"), ["NXDOMAIN"]);
  });
});

void describe("reverse zones", () => {
  const only = askFor({ zones: ["cluster.local", "0.10.in-addr.arpa"] });

  void test("DNS-045, DNS-048, DNS-124: with the zone of 10.0.0.0/16 only that is answered", () => {
    assert.deepEqual(only("1.0.0.10.in-addr.arpa", "PTR"), ["PTR svc1.testns.svc.cluster.local"]);
    assert.deepEqual(only("77.0.0.10.in-addr.arpa", "PTR"), ["NXDOMAIN"]);
    assert.equal(
      owner("77.0.0.10.in-addr.arpa", "PTR", { zones: ["cluster.local", "0.10.in-addr.arpa"] }),
      "0.10.in-addr.arpa",
    );
    assert.deepEqual(only("2.0.0.172.in-addr.arpa", "PTR"), ["elsewhere"]);
    assert.deepEqual(only(`${"0.".repeat(32)}ip6.arpa`, "PTR"), ["elsewhere"]);
    assert.deepEqual(askFor({ zones: ["cluster.local"] })("1.0.0.10.in-addr.arpa", "PTR"), ["elsewhere"]);
  });

  void test("DNS-059, DNS-061: the zone's own name has its start of authority and its name server", () => {
    assert.deepEqual(only("0.10.in-addr.arpa", "SOA"), [
      "SOA ns.dns.cluster.local hostmaster.cluster.local 1700000000 7200 1800 86400 5",
    ]);
    assert.deepEqual(only("0.10.in-addr.arpa", "NS"), [
      "+ ns.dns.cluster.local A 10.0.0.10",
      "NS ns.dns.cluster.local",
    ]);
    assert.deepEqual(only("0.10.in-addr.arpa", "PTR"), ["NODATA"]);
  });

  void test("what stands above addresses' names is there, unless it may be somebody else's; what could not, is not", () => {
    const ipv6 = askFor({ zones: ["cluster.local", "8.b.d.0.1.0.0.2.ip6.arpa"] });
    assert.deepEqual(only("0.0.10.in-addr.arpa", "NS"), ["NODATA"]);
    assert.deepEqual(ipv6("0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR"), ["NODATA"]);
    for (const name of [
      "x.0.10.in-addr.arpa",
      "256.0.10.in-addr.arpa",
      "01.0.10.in-addr.arpa",
      "1.1.0.0.10.in-addr.arpa",
    ]) {
      assert.deepEqual(only(name, "PTR"), ["NXDOMAIN"], name);
    }
    assert.deepEqual(ipv6("10.8.b.d.0.1.0.0.2.ip6.arpa", "PTR"), ["NXDOMAIN"]);
    assert.deepEqual(askFor({ fallthrough: ["in-addr.arpa"] })("0.0.10.in-addr.arpa", "NS"), ["elsewhere"]);
  });

  void test("names of Services are not in reverse zones, nor addresses in others", () => {
    assert.deepEqual(only("svc1.testns.svc.0.10.in-addr.arpa", "A"), ["NXDOMAIN"]);
    assert.deepEqual(only("100.0.0.10.cluster.local", "PTR"), ["NXDOMAIN"]);
    assert.deepEqual(only("svc1.testns.svc.cluster.local", "PTR"), ["NODATA"]);
  });
});

void describe("fallthrough", () => {
  void test("DNS-045: what is not here is somebody else's where the configuration says so", () => {
    const asked = askFor({ fallthrough: ["in-addr.arpa"] });
    assert.deepEqual(asked("77.0.0.10.in-addr.arpa", "PTR"), ["elsewhere"]);
    assert.deepEqual(asked("1.0.0.10.in-addr.arpa", "PTR"), ["PTR svc1.testns.svc.cluster.local"]);
    assert.deepEqual(asked(`${"0.".repeat(32)}ip6.arpa`, "PTR"), ["NXDOMAIN"]);
    assert.deepEqual(asked("svc0.testns.svc.cluster.local", "A"), ["NXDOMAIN"]);
  });

  void test("DNS-045: names of Services may be elsewhere too, but not those that are here without this type", () => {
    for (const fallthrough of [["cluster.local"], [""]]) {
      const asked = askFor({ fallthrough });
      assert.deepEqual(asked("svc0.testns.svc.cluster.local", "A"), ["elsewhere"]);
      assert.deepEqual(asked("nons.svc.cluster.local", "A"), ["elsewhere"]);
      assert.deepEqual(asked("svc1.testns.svc.cluster.local", "AAAA"), ["NODATA"]);
    }
    const inside = askFor({ fallthrough: ["testns.svc.cluster.local"] });
    assert.deepEqual(inside("svc0.testns.svc.cluster.local", "A"), ["elsewhere"]);
    assert.deepEqual(inside("svc0.default.svc.cluster.local", "A"), ["NXDOMAIN"]);
  });
});
