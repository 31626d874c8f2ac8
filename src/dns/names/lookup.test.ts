import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HTTP, service, slice, testContents, zonesOf } from "../../../test/dns/testns.ts";
import { numberOf, said, type Asked } from "../../../test/dns/said.ts";
import { lookup } from "./lookup.ts";
import { TYPE, type Lookup } from "./record.ts";
import type { ZoneOptions } from "./zone.ts";

const contents = testContents();

const ask = (name: string, type: Asked, zone: Partial<ZoneOptions> = {}): Lookup | undefined =>
  lookup(contents, zonesOf(zone), name.toLowerCase().split("."), numberOf(type));

const MX = 15;
const ANY = 255;
const SVC = "testns.svc.cluster.local";

/** Statement, name, type, answer. Names ending in `@` stand in `testns.svc.cluster.local`. */
const TABLE: readonly (readonly [string, string, Asked, readonly string[]])[] = [
  ["DNS-001", "svc1@", "A", ["A 10.0.0.1"]],
  ["DNS-002", "svc1@", "AAAA", ["NODATA"]],
  ["DNS-003", "svc6@", "AAAA", ["AAAA 1234:abcd::1"]],
  ["DNS-003 A", "svc6@", "A", ["NODATA"]],
  ["DNS-004 A", "dual@", "A", ["A 10.0.0.3"]],
  ["DNS-004 AAAA", "dual@", "AAAA", ["AAAA 10::3"]],
  ["DNS-005", "svcempty@", "A", ["A 10.0.0.9"]],
  ["DNS-006", "hdls1@", "A", ["A 172.0.0.2", "A 172.0.0.3", "A 172.0.0.4", "A 172.0.0.5"]],
  ["DNS-007", "hdls1@", "AAAA", ["AAAA 5678:abcd::1", "AAAA 5678:abcd::2"]],
  ["DNS-008", "hdlsprtls@", "A", ["A 172.0.0.20"]],
  ["DNS-009", "hdlsunready@", "A", ["NXDOMAIN"]],
  ["DNS-010", "hdls4@", "AAAA", ["NODATA"]],
  ["DNS-011", "dup-name.hdls1@", "A", ["A 172.0.0.4", "A 172.0.0.5"]],
  ["DNS-012", "172-0-0-2.hdls1@", "A", ["A 172.0.0.2"]],
  ["DNS-013", "5678-abcd--1.hdls1@", "AAAA", ["AAAA 5678:abcd::1"]],
  ["DNS-013 trailing zero", "2001-db8--0.noselector@", "AAAA", ["AAAA 2001:db8::"]],
  ["DNS-014", "172-0-0-4.hdls1@", "A", ["NXDOMAIN"]],
  ["DNS-015", "bogus.hdls1@", "A", ["NXDOMAIN"]],
  ["DNS-016", "172-0-0-2.svc1@", "A", ["A 172.0.0.2"]],
  ["DNS-017", "_http._tcp.svc1@", "A", ["A 10.0.0.1"]],
  ["DNS-019, DNS-020", "hdls4@", "A", ["A 172.0.0.40", "A 172.0.0.41"]],
  ["DNS-022", "noselector@", "AAAA", ["AAAA 2001:db8::"]],
  ["DNS-024, DNS-025", "twoports@", "A", ["A 172.0.0.30", "A 172.0.0.31"]],
  ["DNS-026", "multi@", "A", ["A 10.0.0.7"]],

  ["DNS-028", "_http._tcp.svc1@", "SRV", [`+ svc1.${SVC} A 10.0.0.1`, `SRV 0 100 80 svc1.${SVC}`]],
  [
    "DNS-029, DNS-034",
    "multi@",
    "SRV",
    [`+ multi.${SVC} A 10.0.0.7`, `SRV 0 33 53 multi.${SVC}`, `SRV 0 33 80 multi.${SVC}`, `SRV 0 33 9000 multi.${SVC}`],
  ],
  [
    "DNS-030",
    "_http._tcp.dual@",
    "SRV",
    [`+ dual.${SVC} A 10.0.0.3`, `+ dual.${SVC} AAAA 10::3`, `SRV 0 50 80 dual.${SVC}`],
  ],
  ["DNS-030 bare", "dual@", "SRV", [`+ dual.${SVC} A 10.0.0.3`, `+ dual.${SVC} AAAA 10::3`, `SRV 0 50 80 dual.${SVC}`]],
  [
    "DNS-031, DNS-038",
    "_http._tcp.hdls1@",
    "SRV",
    [
      `+ 172-0-0-2.hdls1.${SVC} A 172.0.0.2`,
      `+ 172-0-0-3.hdls1.${SVC} A 172.0.0.3`,
      `+ 5678-abcd--1.hdls1.${SVC} AAAA 5678:abcd::1`,
      `+ 5678-abcd--2.hdls1.${SVC} AAAA 5678:abcd::2`,
      `+ dup-name.hdls1.${SVC} A 172.0.0.4`,
      `+ dup-name.hdls1.${SVC} A 172.0.0.5`,
      `SRV 0 16 80 172-0-0-2.hdls1.${SVC}`,
      `SRV 0 16 80 172-0-0-3.hdls1.${SVC}`,
      `SRV 0 16 80 5678-abcd--1.hdls1.${SVC}`,
      `SRV 0 16 80 5678-abcd--2.hdls1.${SVC}`,
      `SRV 0 16 80 dup-name.hdls1.${SVC}`,
    ],
  ],
  ["DNS-032", "_https._tcp.svc1@", "SRV", ["NXDOMAIN"]],
  ["DNS-032 headless", "_https._tcp.hdls1@", "SRV", ["NXDOMAIN"]],
  ["DNS-033", "_http._udp.svc1@", "SRV", ["NXDOMAIN"]],
  ["DNS-034 no name for it", "_._tcp.multi@", "SRV", ["NXDOMAIN"]],
  ["DNS-035", "external@", "SRV", ["NODATA"]],
  ["DNS-036", "hdlsprtls@", "SRV", ["NODATA"]],
  [
    "DNS-037",
    "172-0-0-2.svc1@",
    "SRV",
    [`+ 172-0-0-2.svc1.${SVC} A 172.0.0.2`, `SRV 0 100 8080 172-0-0-2.svc1.${SVC}`],
  ],
  ["DNS-039", "http.tcp.svc1@", "SRV", [`+ svc1.${SVC} A 10.0.0.1`, `SRV 0 100 80 svc1.${SVC}`]],
  [
    "DNS-040",
    "twoports@",
    "SRV",
    [
      `+ 172-0-0-30.twoports.${SVC} A 172.0.0.30`,
      `+ 172-0-0-31.twoports.${SVC} A 172.0.0.31`,
      `SRV 0 20 80 172-0-0-30.twoports.${SVC}`,
      `SRV 0 20 80 172-0-0-31.twoports.${SVC}`,
      `SRV 0 20 9100 172-0-0-30.twoports.${SVC}`,
      `SRV 0 20 9100 172-0-0-31.twoports.${SVC}`,
      `SRV 0 20 9200 172-0-0-30.twoports.${SVC}`,
    ],
  ],
  ["a port's protocol alone is a name without records", "_tcp.svc1@", "A", ["NODATA"]],
  ["a protocol no port has is no name", "_udp.svc1@", "A", ["NXDOMAIN"]],

  ["DNS-041, DNS-138", "1.0.0.10.in-addr.arpa", "PTR", [`PTR svc1.${SVC}`]],
  ["DNS-042", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa", "PTR", [`PTR svc6.${SVC}`]],
  ["DNS-043", "3.0.0.172.in-addr.arpa", "PTR", [`PTR 172-0-0-3.hdls1.${SVC}`]],
  ["DNS-043 host name", "4.0.0.172.in-addr.arpa", "PTR", [`PTR dup-name.hdls1.${SVC}`]],
  ["DNS-043, DNS-047", "2.0.0.172.in-addr.arpa", "PTR", [`PTR 172-0-0-2.hdls1.${SVC}`, `PTR 172-0-0-2.svc1.${SVC}`]],
  ["DNS-046", "77.0.0.172.in-addr.arpa", "PTR", ["NXDOMAIN"]],
  ["DNS-046 no Service any more", "99.0.0.172.in-addr.arpa", "PTR", ["NXDOMAIN"]],
  ["DNS-048", "1.2.0.192.in-addr.arpa", "PTR", ["NXDOMAIN"]],
  ["DNS-026 external addresses have no name", "7.2.0.192.in-addr.arpa", "PTR", ["NXDOMAIN"]],
  ["a reverse name with another type", "1.0.0.10.in-addr.arpa", "A", ["NODATA"]],
  ["a reverse name that is no address", "x.0.0.10.in-addr.arpa", "PTR", ["NXDOMAIN"]],

  ["DNS-049", "external@", "CNAME", ["CNAME ext.interwebs.test"]],
  ["DNS-050", "external@", "A", ["CNAME ext.interwebs.test", "then ext.interwebs.test"]],
  ["DNS-051", "external-to-service@", "A", ["A 10.0.0.1", `CNAME svc1.${SVC}`]],
  [
    "DNS-051 in two steps",
    "external-to-external@",
    "A",
    ["A 10.0.0.1", `CNAME external-to-service.${SVC}`, `CNAME svc1.${SVC}`],
  ],
  ["DNS-052", "external-to-nothing@", "A", ["NODATA"]],
  ["DNS-053", "external-loop@", "A", ["NODATA"]],
  ["DNS-053 CNAME", "external-loop@", "CNAME", ["NODATA"]],
  ["DNS-053 in a ring", "external-ping@", "A", ["NODATA"]],
  ["DNS-054", "external-ip@", "A", ["NXDOMAIN"]],
  ["DNS-055 endpoint", "x.external@", "A", ["NXDOMAIN"]],
  ["DNS-055 port", "_http._tcp.external@", "SRV", ["NXDOMAIN"]],

  ["DNS-058", "dns-version.cluster.local", "TXT", ["TXT 1.1.0"]],
  [
    "DNS-059",
    "cluster.local",
    "SOA",
    ["SOA ns.dns.cluster.local hostmaster.cluster.local 1700000000 7200 1800 86400 5"],
  ],
  ["DNS-060", "svc1@", "SOA", ["NODATA"]],
  ["DNS-061", "cluster.local", "NS", ["+ ns.dns.cluster.local A 10.0.0.10", "NS ns.dns.cluster.local"]],
  ["DNS-061 elsewhere", "svc1@", "NS", ["NODATA"]],
  ["DNS-061 nowhere", "svc0@", "NS", ["NXDOMAIN"]],
  ["DNS-062 A", "ns.dns.cluster.local", "A", ["A 10.0.0.10"]],
  ["DNS-062 AAAA", "ns.dns.cluster.local", "AAAA", ["NODATA"]],
  ["DNS-063 TXT", "svc1@", "TXT", ["NODATA"]],
  ["DNS-063 MX", "svc1@", MX, ["NODATA"]],
  ["DNS-063 nowhere", "svc0@", MX, ["NXDOMAIN"]],
  ["DNS-066", "svc1@", ANY, ["NODATA"]],
  ["DNS-066 nowhere", "svc0@", ANY, ["NXDOMAIN"]],

  ["DNS-067 apex", "cluster.local", "A", ["NODATA"]],
  ["DNS-067 svc", "svc.cluster.local", "A", ["NODATA"]],
  ["DNS-067 pod", "pod.cluster.local", "A", ["NODATA"]],
  ["DNS-068", SVC, "A", ["NODATA"]],
  ["DNS-069", "nons.svc.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-070", "svc0@", "A", ["NXDOMAIN"]],
  ["DNS-070 SRV", "svc0@", "SRV", ["NXDOMAIN"]],
  ["DNS-071", "svc0.nons.svc.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-072", "foo.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-072 deeper", "a.b.foo.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-073", "a.b.c.svc1@", "A", ["NXDOMAIN"]],
  ["DNS-073 port and protocol too far down", "_http._tcp.x.svc1@", "A", ["NXDOMAIN"]],
  ["DNS-074", "svc1@", "AAAA", ["NODATA"]],
  ["DNS-075", "hdlsunready@", "SRV", ["NXDOMAIN"]],
  ["DNS-077", `*.${SVC}`, "A", ["NXDOMAIN"]],
  ["DNS-079", `svc1.${SVC}.${SVC}`, "A", ["NXDOMAIN"]],
  ["a Service without an address yet", "pending@", "A", ["NXDOMAIN"]],
  ["slices without their Service", "ghost@", "A", ["NXDOMAIN"]],
  ["DNS-081", "example.com", "A", ["elsewhere"]],
  ["DNS-081 a zone that only ends alike", "mycluster.local", "A", ["elsewhere"]],

  ["DNS-084", "1-2-3-4.testns.pod.cluster.local", "A", ["A 1.2.3.4"]],
  ["DNS-084 IPv6", "1234-abcd--1.testns.pod.cluster.local", "AAAA", ["AAAA 1234:abcd::1"]],
  ["DNS-084 other family", "1-2-3-4.testns.pod.cluster.local", "AAAA", ["NODATA"]],
  ["DNS-086 no address", "hello.testns.pod.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-086 no namespace", "1-2-3-4.nons.pod.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-086 too deep", "x.1-2-3-4.testns.pod.cluster.local", "A", ["NXDOMAIN"]],
  ["DNS-087", "testns.pod.cluster.local", "A", ["NODATA"]],

  ["DNS-089, DNS-093, DNS-139", "web-0.nginx@", "A", ["A 172.0.0.60"]],
  ["DNS-089 PTR", "61.0.0.172.in-addr.arpa", "PTR", [`PTR web-1.nginx.${SVC}`]],
  ["DNS-092", "web-0.nothing@", "A", ["NXDOMAIN"]],
  ["DNS-095", "dup-name.hdls1@", "A", ["A 172.0.0.4", "A 172.0.0.5"]],
  ["DNS-135", "kubernetes.default.svc.cluster.local", "A", ["A 10.0.0.10"]],
];

void describe("names of the zone", () => {
  for (const [statement, name, type, expected] of TABLE) {
    void test(`${statement}: ${name} ${type}`, () => {
      assert.deepEqual(said(ask(name.replace("@", `.${SVC}`), type)), expected);
    });
  }

  void test("DNS-018: a question in any spelling finds its name", () => {
    assert.deepEqual(said(ask("SVC1.TestNS.svc.Cluster.Local", "A")), ["A 10.0.0.1"]);
  });

  void test("DNS-045: with an upstream, unknown reverse names are for it, known ones are answered here", () => {
    const zone = { fallthrough: ["in-addr.arpa"] };
    assert.deepEqual(said(ask("1.2.0.192.in-addr.arpa", "PTR", zone)), ["elsewhere"]);
    assert.deepEqual(said(ask("1.0.0.10.in-addr.arpa", "PTR", zone)), [`PTR svc1.${SVC}`]);
  });

  void test("DNS-048: the start of authority of a reverse answer is the reverse zone's", () => {
    assert.equal(ask("1.2.0.192.in-addr.arpa", "PTR")?.answer.authority[0]?.name, "in-addr.arpa");
    assert.equal(ask(`${"0.".repeat(32)}ip6.arpa`, "PTR")?.answer.authority[0]?.name, "ip6.arpa");
  });

  void test("DNS-058, DNS-059, DNS-065: TTLs are the version's own, the option's, and at most 300 for SOA", () => {
    const ttl = (name: string, type: Asked, seconds: number): number | undefined =>
      ask(name, type, { ttl: seconds })?.answer.answers[0]?.ttl;
    assert.equal(ttl("dns-version.cluster.local", "TXT", 30), 28_800);
    assert.equal(ttl(`svc1.${SVC}`, "A", 30), 30);
    assert.equal(ttl("cluster.local", "SOA", 30), 30);
    assert.equal(ttl("cluster.local", "SOA", 3600), 300);
  });

  void test("DNS-083: with pod names disabled none exists", () => {
    assert.deepEqual(said(ask("1-2-3-4.testns.pod.cluster.local", "A", { pods: "disabled" })), ["NXDOMAIN"]);
  });

  void test("a label with a dot in it is not two labels", () => {
    const labels = ["svc1.testns", "svc", "cluster", "local"];
    assert.deepEqual(said(lookup(contents, zonesOf(), labels, TYPE.A)), ["NXDOMAIN"]);
    assert.equal(lookup(contents, zonesOf(), ["svc1", "testns", "svc", "cluster.local"], TYPE.A), undefined);
  });
});

void describe("changes", () => {
  const at = (changed: ReturnType<typeof testContents>, name: string, type: Asked): string[] =>
    said(lookup(changed, zonesOf(), name.split("."), numberOf(type)));

  void test("DNS-027: a deleted Service leaves no name, forward or reverse", () => {
    const changed = testContents();
    const words = changed.setService("testns/hdls1", undefined, [slice("hdls1", ["172.0.0.2"])]);
    assert.deepEqual(words.toSorted(), [
      "address 172.0.0.2",
      "address 172.0.0.3",
      "address 172.0.0.4",
      "address 172.0.0.5",
      "address 5678:abcd::1",
      "address 5678:abcd::2",
      "service testns/hdls1",
    ]);
    for (const name of [`hdls1.${SVC}`, `dup-name.hdls1.${SVC}`, "3.0.0.172.in-addr.arpa"]) {
      assert.deepEqual(at(changed, name, "PTR"), ["NXDOMAIN"], name);
    }
    assert.deepEqual(at(changed, "2.0.0.172.in-addr.arpa", "PTR"), [`PTR 172-0-0-2.svc1.${SVC}`]);
  });

  void test("DNS-044: a cluster IP that is also an endpoint has the Service's name alone", () => {
    const changed = testContents();
    changed.setService("testns/odd", service("odd", { clusterIP: "None" }), [slice("odd", ["10.0.0.1"])]);
    assert.deepEqual(at(changed, "1.0.0.10.in-addr.arpa", "PTR"), [`PTR svc1.${SVC}`]);
    changed.setService("testns/svc1", undefined, []);
    assert.deepEqual(at(changed, "1.0.0.10.in-addr.arpa", "PTR"), [`PTR 10-0-0-1.odd.${SVC}`]);
  });

  void test("DNS-056, CTL-100: an ExternalName may change its target and become a ClusterIP Service", () => {
    const changed = testContents();
    const key = "testns/external";
    const external = (externalName: string) => service("external", { type: "ExternalName", externalName });
    changed.setService(key, external("other.test"), []);
    assert.deepEqual(at(changed, `external.${SVC}`, "CNAME"), ["CNAME other.test"]);
    changed.setService(key, service("external", { clusterIP: "10.0.0.77" }), []);
    assert.deepEqual(at(changed, `external.${SVC}`, "A"), ["A 10.0.0.77"]);
    assert.deepEqual(at(changed, `external.${SVC}`, "CNAME"), ["NODATA"]);
  });

  void test("DNS-023: both families of a headless Service are answered, each from its slices", () => {
    const changed = testContents();
    changed.setService("testns/both", service("both", { clusterIP: "None" }), [
      slice("both", ["172.0.0.80"]),
      slice("both", ["2001:db8::80"], HTTP, "IPv6"),
    ]);
    assert.deepEqual(at(changed, `both.${SVC}`, "A"), ["A 172.0.0.80"]);
    assert.deepEqual(at(changed, `both.${SVC}`, "AAAA"), ["AAAA 2001:db8::80"]);
  });

  void test("slices of an earlier Service of the same name are not answered from", () => {
    const changed = testContents();
    const old = slice("again", ["172.0.0.90"]);
    const stale = {
      ...old,
      metadata: {
        ...old.metadata,
        ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "again", uid: "old" }],
      },
    };
    changed.setService("testns/again", service("again", { clusterIP: "None" }), [stale]);
    assert.deepEqual(at(changed, `again.${SVC}`, "A"), ["NXDOMAIN"]);
  });

  void test("DNS-054, DNS-055: names that no message can hold are not published", () => {
    const changed = testContents();
    const label = "x".repeat(64);
    changed.setService("testns/long", service("long", { type: "ExternalName", externalName: `${label}.test` }), []);
    assert.deepEqual(at(changed, `long.${SVC}`, "CNAME"), ["NXDOMAIN"]);
  });

  void test("DNS-059: the serial number is the time of the last change", () => {
    let now = 1_700_000_000_000;
    const changed = testContents(() => now);
    now += 60_000;
    assert.equal(changed.serial, 1_700_000_000);
    changed.setService("testns/svc1", undefined, []);
    assert.equal(changed.serial, 1_700_000_060);
  });

  void test("DNS-068, DNS-069: a namespace comes and goes", () => {
    const changed = testContents();
    assert.deepEqual(changed.setNamespace("nons", true), ["namespace nons"]);
    assert.deepEqual(at(changed, "nons.svc.cluster.local", "A"), ["NODATA"]);
    changed.setNamespace("nons", false);
    assert.deepEqual(at(changed, "nons.svc.cluster.local", "A"), ["NXDOMAIN"]);
    assert.deepEqual(changed.setNamespace("nons", false), []);
  });
});
