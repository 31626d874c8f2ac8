import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { service, slice, testContents, zonesOf } from "../../../test/dns/testns.ts";
import { lookup } from "./lookup.ts";
import { RCODE, TYPE, type Lookup } from "./record.ts";

const SVC = "testns.svc.cluster.local";
const ZONES = zonesOf({ searches: true, zones: ["cluster.local", "example.org", "0.10.in-addr.arpa"] });

const ask = (name: string, contents = testContents(), type: number = TYPE.A): Lookup | undefined =>
  lookup(contents, ZONES, name.split("."), type);

/** What is left of a name that a search list made; undefined where none did. */
function restOf(name: string, contents = testContents(), type: number = TYPE.A): string | undefined {
  const found = ask(name, contents, type);
  if (found?.search === undefined) return undefined;
  assert.equal(found.answer.rcode, RCODE.NXDOMAIN);
  return `${found.search.rest.join(".")} in ${found.search.namespace}`;
}

void describe("names that a search list made", () => {
  for (const [rest, why] of [
    ["www.example.com", "a usual name"],
    ["example.com", "two labels"],
    ["a.b.c.d.e.f.example.com", "however many labels"],
    ["svc0.nons", "what might be a Service elsewhere, but is not"],
    ["nothing.testns.svc", "or with less of the domain left out"],
    ["_sip._tcp.example.com", "a service of a name outside"],
    ["www.svc1", "a Service's name is no hindrance: there is no such endpoint"],
  ] as const) {
    void test(`${rest}: ${why}`, () => assert.equal(restOf(`${rest}.${SVC}`), `${rest} in testns`));
  }

  for (const [name, why] of [
    [`www.${SVC}`, "one label is a Service's name"],
    [`_http._tcp.svc0.${SVC}`, "one label behind a port and a protocol too"],
    [`_http._tcp.${SVC}`, "and a port and a protocol alone are no name"],
    ["www.example.com.nons.svc.cluster.local", "no pod has a search list of a namespace that is not there"],
    ["www.example.com.svc.cluster.local", "the second domain of a search list"],
    ["www.example.com.cluster.local", "the third"],
    ["www.example.com.testns.pod.cluster.local", "not of a search list"],
    ["www.example.com.testns.svc.example.org", "not the zone that search lists are made of"],
    [`svc1.${SVC}.${SVC}`, "DNS-079: the whole name of a Service"],
    [`svc0.${SVC}.${SVC}`, "the whole name of one that is not there"],
    [`svc1.testns.svc.example.org.${SVC}`, "a whole name in another of the zones"],
    [`1.0.0.10.in-addr.arpa.${SVC}`, "an address"],
    [`1.2.0.192.in-addr.arpa.${SVC}`, "an address in nobody's zone"],
    [`svc1.testns.${SVC}`, "found with the second domain"],
    [`svc1.testns.svc.${SVC}`, "found with the third"],
    [`svc6.testns.${SVC}`, "found, with another type"],
    [`1-2-3-4.testns.pod.${SVC}`, "a pod's name"],
    [`testns.svc.${SVC}`, "a namespace's"],
    [`ns.dns.${SVC}`, "the name server's"],
    [`dup-name.hdls1.${SVC}`, "an endpoint's, found with the first domain"],
  ] as const) {
    void test(`not ${name}: ${why}`, () => assert.equal(restOf(name), undefined));
  }

  void test("for every type, as the name is the same", () => {
    for (const type of [TYPE.AAAA, TYPE.SRV, TYPE.TXT, 65]) {
      assert.equal(restOf(`www.example.com.${SVC}`, testContents(), type), "www.example.com in testns");
    }
  });

  void test("not where it was not asked for, nor where what is missing here may be elsewhere", () => {
    const labels = `www.example.com.${SVC}`.split(".");
    assert.equal(lookup(testContents(), zonesOf(), labels, TYPE.A)?.search, undefined);
    const falling = zonesOf({ searches: true, fallthrough: ["cluster.local"] });
    assert.equal(lookup(testContents(), falling, labels, TYPE.A), undefined);
  });
});

void test("whatever would make it a name of the cluster is in what the answer depends on", () => {
  const cluster = (name: string, namespace: string) => service(name, { clusterIP: "10.0.7.7" }, namespace);
  for (const [rest, change] of [
    // With the first domain: an endpoint of a Service in the pods' own namespace.
    ["www.web", (c) => c.setService("testns/web", headless("web", "testns"), [named("web", "www", "testns")])],
    // With the second: a Service in another namespace, or an endpoint of one.
    ["web.shop", (c) => c.setService("shop/web", cluster("web", "shop"), [])],
    ["www.web.shop", (c) => c.setService("shop/web", headless("web", "shop"), [named("web", "www", "shop")])],
    // With the third.
    ["web.shop.svc", (c) => c.setService("shop/web", cluster("web", "shop"), [])],
    ["1-2-3-4.shop.pod", (c) => c.setNamespace("shop", true)],
    // Or the namespace goes, and its pods with it.
    ["www.example.com", (c) => c.setNamespace("testns", false)],
  ] as readonly (readonly [string, (contents: ReturnType<typeof testContents>) => readonly string[]])[]) {
    const contents = testContents();
    const before = ask(`${rest}.${SVC}`, contents);
    assert.ok(before?.search !== undefined, rest);
    const words = change(contents);
    assert.ok(
      words.some((word) => before.depends.includes(word)),
      `${rest}: of ${words.join(", ")} none is in ${before.depends.join(", ")}`,
    );
    assert.equal(ask(`${rest}.${SVC}`, contents)?.search, undefined, rest);
  }
});

const headless = (name: string, namespace: string) => service(name, { clusterIP: "None" }, namespace);
const named = (of: string, hostname: string, namespace: string) =>
  slice(of, [{ address: "172.0.9.9", hostname }], [], "IPv4", namespace);
