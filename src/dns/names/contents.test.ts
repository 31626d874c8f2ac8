import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { numberOf, said, type Asked } from "../../../test/dns/said.ts";
import { HTTP, service, slice, testContents, zonesOf } from "../../../test/dns/testns.ts";
import { createContents, type Contents } from "./contents.ts";
import { lookup } from "./lookup.ts";
import type { ZoneOptions } from "./zone.ts";

const SVC = "testns.svc.cluster.local";
const ask = (contents: Contents, name: string, type: Asked = "A", options: Partial<ZoneOptions> = {}): string[] =>
  said(lookup(contents, zonesOf(options), name.replace("@", `.${SVC}`).split("."), numberOf(type)));
const dependsOf = (contents: Contents, name: string, type: Asked = "A"): readonly string[] =>
  lookup(contents, zonesOf({ pods: "verified" }), name.replace("@", `.${SVC}`).split("."), numberOf(type))!.depends;

void describe("names of endpoints", () => {
  const contents = testContents(undefined, { endpointPodNames: true });
  const of = (name: string) => ({ kind: "Pod", namespace: "testns", name });
  contents.setService("testns/named", service("named", { clusterIP: "None" }), [
    slice("named", [
      { address: "172.0.2.1", targetRef: of("web-7f") },
      { address: "172.0.2.2", hostname: "own", targetRef: of("web-8f") },
      { address: "172.0.2.3", targetRef: of("x".repeat(64)) },
      { address: "172.0.2.4", targetRef: of("with.dots") },
      "172.0.2.5",
    ]),
  ]);

  void test("DNS-096: without a host name, an endpoint is named after its pod", () => {
    assert.deepEqual(ask(contents, "web-7f.named@"), ["A 172.0.2.1"]);
    assert.deepEqual(ask(contents, "172-0-2-1.named@"), ["NXDOMAIN"]);
    assert.deepEqual(ask(contents, "1.2.0.172.in-addr.arpa", "PTR"), [`PTR web-7f.named.${SVC}`]);
  });

  void test("DNS-096: a host name comes first, and a pod's name that is no label is not used", () => {
    assert.deepEqual(ask(contents, "own.named@"), ["A 172.0.2.2"]);
    assert.deepEqual(ask(contents, "web-8f.named@"), ["NXDOMAIN"]);
    for (const at of [3, 4, 5]) assert.deepEqual(ask(contents, `172-0-2-${at}.named@`), [`A 172.0.2.${at}`]);
  });

  void test("DNS-091: unless it is asked for, pods' names are no names", () => {
    const usual = testContents();
    const pod = { address: "172.0.2.1", targetRef: of("web-7f") };
    usual.setService("testns/named", service("named", { clusterIP: "None" }), [slice("named", [pod])]);
    assert.deepEqual(ask(usual, "web-7f.named@"), ["NXDOMAIN"]);
    assert.deepEqual(ask(usual, "172-0-2-1.named@"), ["A 172.0.2.1"]);
  });

  void test("DNS-043: slices that name an address differently give it both names", () => {
    const both = testContents();
    both.setService("testns/twice", service("twice", { clusterIP: "None" }), [
      slice("twice", ["172.0.2.9"]),
      slice("twice", [
        { address: "172.0.2.9", hostname: "nine" },
        "172.0.2.8",
        { address: "172.0.2.9", hostname: "neuf" },
      ]),
    ]);
    assert.deepEqual(ask(both, "9.2.0.172.in-addr.arpa", "PTR"), [
      `PTR 172-0-2-9.twice.${SVC}`,
      `PTR neuf.twice.${SVC}`,
      `PTR nine.twice.${SVC}`,
    ]);
  });
});

void describe("Services without a ready address", () => {
  const contents = testContents(undefined, { ignoreEmptyServices: true });

  void test("DNS-127: with ignoreEmptyServices a ClusterIP Service without a ready address has no names", () => {
    assert.deepEqual(ask(contents, "svcempty@"), ["NXDOMAIN"]);
    assert.deepEqual(ask(contents, "svcempty@", "SRV"), ["NXDOMAIN"]);
    assert.deepEqual(ask(contents, "9.0.0.10.in-addr.arpa", "PTR"), ["NXDOMAIN"]);
    assert.deepEqual(ask(contents, "svc1@"), ["A 10.0.0.1"]);
    assert.deepEqual(ask(contents, "external@", "CNAME"), ["CNAME ext.interwebs.test"]);
    assert.deepEqual(ask(testContents(), "svcempty@"), ["A 10.0.0.9"]);
  });

  void test("DNS-127: it has them as soon as an address is ready, and no longer", () => {
    const changed = testContents(undefined, { ignoreEmptyServices: true });
    const empty = service("svcempty", { clusterIP: "10.0.0.9" });
    const words = changed.setService("testns/svcempty", empty, [slice("svcempty", ["172.0.0.2"])]);
    assert.ok(words.includes("service testns/svcempty") && words.includes("address 10.0.0.9"));
    assert.deepEqual(ask(changed, "svcempty@"), ["A 10.0.0.9"]);
    const unready = slice("svcempty", [{ address: "172.0.0.2", conditions: { ready: false } }]);
    assert.ok(changed.setService("testns/svcempty", empty, [unready]).includes("service testns/svcempty"));
    assert.deepEqual(ask(changed, "svcempty@"), ["NXDOMAIN"]);
  });
});

void describe("pods", () => {
  const at = new Map([
    ["10.244.0.7", "testns"],
    ["fd00::7", "testns"],
  ]);
  const contents = testContents(undefined, { pods: { has: (namespace, ip) => at.get(ip) === namespace } });
  const verified = (name: string, type: Asked = "A"): string[] => ask(contents, name, type, { pods: "verified" });

  void test("DNS-085: a pod's name exists while a pod of that namespace has the address", () => {
    assert.deepEqual(verified("10-244-0-7.testns.pod.cluster.local"), ["A 10.244.0.7"]);
    assert.deepEqual(verified("fd00--7.testns.pod.cluster.local", "AAAA"), ["AAAA fd00::7"]);
    assert.deepEqual(verified("10-244-0-7.testns.pod.cluster.local", "AAAA"), ["NODATA"]);
    assert.deepEqual(verified("10-244-0-8.testns.pod.cluster.local"), ["NXDOMAIN"]);
    assert.deepEqual(verified("10-244-0-7.default.pod.cluster.local"), ["NXDOMAIN"]);
    assert.deepEqual(verified("10-244-0-7.nons.pod.cluster.local"), ["NXDOMAIN"]);
  });

  void test("DNS-085: a change of pods is what such an answer depends on", () => {
    for (const name of ["10-244-0-7.testns.pod.cluster.local", "10-244-0-8.testns.pod.cluster.local"]) {
      const ip = name.split(".")[0]!.replaceAll("-", ".");
      assert.ok(contents.podsChanged([ip]).some((word) => dependsOf(contents, name).includes(word)));
    }
  });

  void test("DNS-088: pods' names are an addition: all that the specification has is the same in each mode", () => {
    for (const [name, type] of [
      ["svc1@", "A"],
      ["_http._tcp.hdls1@", "SRV"],
      ["1.0.0.10.in-addr.arpa", "PTR"],
      ["svc0@", "A"],
      ["dns-version.cluster.local", "TXT"],
    ] as const) {
      const [first, ...others] = (["disabled", "insecure", "verified"] as const).map((pods) =>
        ask(contents, name, type, { pods }),
      );
      for (const other of others) assert.deepEqual(other, first, name);
    }
  });

  void test("DNS-083, DNS-086, DNS-087: the namespace's own name in each mode, and what is no address", () => {
    for (const [pods, expected] of [
      ["disabled", "NXDOMAIN"],
      ["insecure", "NODATA"],
      ["verified", "NODATA"],
    ] as const) {
      assert.deepEqual(ask(contents, "testns.pod.cluster.local", "A", { pods }), [expected]);
      assert.deepEqual(ask(contents, "pod.cluster.local", "A", { pods }), ["NODATA"]);
      assert.deepEqual(ask(contents, "blah.testns.pod.cluster.local", "AAAA", { pods }), ["NXDOMAIN"]);
      assert.deepEqual(ask(contents, "1-2-3.testns.pod.cluster.local", "A", { pods }), ["NXDOMAIN"]);
    }
  });
});

void test("DNS-076: where namespaces are chosen, a Service has names while its namespace is among them", () => {
  const contents = testContents(undefined, { hidesUnknownNamespaces: true });
  contents.setService("nons/svc1", service("svc1", { clusterIP: "10.0.5.1" }, "nons"), []);
  const names = ["svc1.nons.svc.cluster.local", "1.5.0.10.in-addr.arpa"] as const;
  const before = names.map((name) => dependsOf(contents, name, "PTR"));
  assert.deepEqual(ask(contents, names[0]), ["NXDOMAIN"]);
  assert.deepEqual(ask(contents, names[1], "PTR"), ["NXDOMAIN"]);
  const words = contents.setNamespace("nons", true);
  for (const depends of before) assert.ok(words.some((word) => depends.includes(word)));
  assert.deepEqual(ask(contents, names[0]), ["A 10.0.5.1"]);
  assert.deepEqual(ask(contents, names[1], "PTR"), ["PTR svc1.nons.svc.cluster.local"]);
  contents.setNamespace("nons", false);
  assert.deepEqual(ask(contents, names[0]), ["NXDOMAIN"]);
});

void test("DNS-143: a Service whose name begins with a digit", () => {
  const contents = testContents();
  contents.setService("testns/1st", service("1st", { clusterIP: "10.0.6.1", ports: HTTP as never }), []);
  assert.deepEqual(ask(contents, "1st@"), ["A 10.0.6.1"]);
  assert.deepEqual(ask(contents, "_http._tcp.1st@", "SRV"), [`+ 1st.${SVC} A 10.0.6.1`, `SRV 0 100 80 1st.${SVC}`]);
  assert.deepEqual(ask(contents, "1.6.0.10.in-addr.arpa", "PTR"), [`PTR 1st.${SVC}`]);
});

void describe("ten thousand Services with a hundred thousand endpoints", () => {
  const SERVICES = 10_000;
  const EACH = 10;
  const cluster = (at: number): string =>
    `10.${100 + Math.floor(at / 62_500)}.${Math.floor(at / 250) % 250}.${at % 250}`;
  const endpoint = (at: number): string =>
    `172.${16 + Math.floor(at / 62_500)}.${Math.floor(at / 250) % 250}.${at % 250}`;
  const slicesOf = (at: number) => [
    slice(
      `s${at}`,
      Array.from({ length: EACH }, (_, index) => endpoint(at * EACH + index)),
    ),
  ];
  const large = createContents(() => 0);
  large.setNamespace("testns", true);
  for (let at = 0; at < SERVICES; at += 1) {
    large.setService(`testns/s${at}`, service(`s${at}`, { clusterIP: cluster(at) }), slicesOf(at));
  }

  void test("DNS-144: each is answered, forward and reverse", () => {
    const zones = zonesOf();
    for (let at = 0; at < SERVICES; at += 1) {
      const found = lookup(large, zones, ["s" + at, "testns", "svc", "cluster", "local"], 1);
      assert.deepEqual(found?.answer.answers[0], {
        name: `s${at}.${SVC}`,
        ttl: 5,
        type: "A",
        address: cluster(at),
      });
      const reverse = [...cluster(at).split(".").toReversed(), "in-addr", "arpa"];
      assert.deepEqual(said(lookup(large, zones, reverse, 12)), [`PTR s${at}.${SVC}`]);
    }
    assert.deepEqual(ask(large, `${endpoint(77_777).split(".").toReversed().join(".")}.in-addr.arpa`, "PTR"), [
      `PTR ${endpoint(77_777).replaceAll(".", "-")}.s7777.${SVC}`,
    ]);
  });

  void test("a change costs what its Service is large, not what all are: it touches that Service's words alone", () => {
    const words = large.setService("testns/s7", service("s7", { clusterIP: cluster(7) }), slicesOf(7).slice(1));
    assert.equal(words.length, 1 + 1 + EACH);
    const small = createContents(() => 0);
    const spend = (contents: Contents): number => {
      const started = process.cpuUsage();
      for (let round = 0; round < 500; round += 1) {
        contents.setService("testns/s8", service("s8", { clusterIP: cluster(8) }), slicesOf(8));
      }
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    spend(small);
    const few = spend(small);
    const many = spend(large);
    assert.ok(many < 10 * few + 50_000, `500 changes among 10,000 Services took ${many} µs, alone ${few} µs`);
  });

  void test("a Service with a thousand slices: a change costs what the slices that changed hold", () => {
    const slices = Array.from({ length: 1000 }, (_, at) => [
      slice("wide", [`172.20.${Math.floor(at / 250)}.${at % 250}`]),
    ]).flat();
    const wide = service("wide", { clusterIP: "None" });
    assert.equal(large.setService("testns/wide", wide, slices).length, 1 + 1000);
    const changed = slices.with(500, slice("wide", ["172.21.0.1"]));
    assert.deepEqual(large.setService("testns/wide", wide, changed).toSorted(), [
      "address 172.20.2.0",
      "address 172.21.0.1",
      "service testns/wide",
    ]);
    assert.deepEqual(ask(large, "0.2.20.172.in-addr.arpa", "PTR"), ["NXDOMAIN"]);
    assert.deepEqual(ask(large, "1.0.21.172.in-addr.arpa", "PTR"), [`PTR 172-21-0-1.wide.${SVC}`]);
  });
});

void test("an address that is in several slices is the Service's until the last of them goes", () => {
  const contents = testContents();
  const twice = service("twice", { clusterIP: "None" });
  const [one, other] = [slice("twice", ["172.0.8.1", "172.0.8.2"]), slice("twice", ["172.0.8.1"], [])];
  const reverse = (): string[] => ask(contents, "1.8.0.172.in-addr.arpa", "PTR");
  const set = (...slices: (typeof one)[]): readonly string[] => contents.setService("testns/twice", twice, slices);
  set(one, other);
  assert.deepEqual(reverse(), [`PTR 172-0-8-1.twice.${SVC}`]);
  assert.ok(set(other).includes("address 172.0.8.1"));
  assert.deepEqual(reverse(), [`PTR 172-0-8-1.twice.${SVC}`]);
  assert.deepEqual(ask(contents, "2.8.0.172.in-addr.arpa", "PTR"), ["NXDOMAIN"]);
  set(one);
  assert.deepEqual(reverse(), [`PTR 172-0-8-1.twice.${SVC}`]);
  set();
  assert.deepEqual(reverse(), ["NXDOMAIN"]);
});

void test("an address that is no Service's any more is not remembered", () => {
  const contents = testContents(undefined, { hidesUnknownNamespaces: true });
  const depends = (): readonly string[] => dependsOf(contents, "1.8.0.172.in-addr.arpa", "PTR");
  contents.setService("nons/gone", service("gone", { clusterIP: "172.0.8.1" }, "nons"), []);
  assert.deepEqual(depends(), ["address 172.0.8.1", "namespace nons"]);
  contents.setService("nons/gone", undefined, []);
  assert.deepEqual(depends(), ["address 172.0.8.1"]);
});
