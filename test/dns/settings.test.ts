import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import type { Pod, PodSpec } from "../../src/api/generated/types.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { endpointSlices, namespaces, pods, services } from "../../src/api/resources.ts";
import type { KubernetesOptions, ServerBlock } from "../../src/dns/configuration/configuration.ts";
import { createObjects } from "./objects.ts";
import { configurationOf, eventually, running, type Running } from "./running.ts";
import { service, slice } from "./testns.ts";

const SVC = "testns.svc.cluster.local";

const namespace = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});
const labelled = (name: string, clusterIP: string, labels: Record<string, string>, at = "testns"): KubeObject => {
  const made = service(name, { clusterIP }, at);
  return { ...made, metadata: { ...made.metadata, labels } };
};
const pod = (name: string, ip: string, spec: Partial<PodSpec> = {}, at = "testns"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: at },
  spec: { containers: [], nodeName: "here", ...spec },
  status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
});

/** One line: the addresses and names in the answer, else its code. */
async function said({ dig }: Running, name: string, type = "A"): Promise<string> {
  const text = await dig(name, type);
  const answers = [...text.matchAll(/^[^;\s]\S*\s+\d+\s+IN\s+(?:A|AAAA|CNAME|PTR)\s+(\S+)$/gm)].map(
    (match) => match[1]!,
  );
  return answers.length > 0 ? answers.toSorted().join(" ") : (/status: (\w+)/.exec(text)?.[1] ?? text);
}
const becomes = (at: Running, name: string, expected: string, type = "A"): Promise<true> =>
  eventually(`${name} to be ${expected}`, async () => ((await said(at, name, type)) === expected ? true : undefined));

/** A resolver that knows every name below `example.com`, and what it was asked. */
async function outside(t: TestContext): Promise<{ readonly at: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = packets.decode(packet);
    const [{ name, type } = { name: "", type: "A" }] = questions;
    asked.push(`${name} ${type}`);
    const isKnown = name.endsWith("example.com");
    const reply = packets.encode({
      type: "response",
      ...(id === undefined ? {} : { id }),
      flags: packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (isKnown ? 0 : 3),
      questions,
      answers: isKnown && type === "A" ? [{ type: "A", name, ttl: 60, data: "192.0.2.80" }] : [],
    });
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return { at: `127.0.0.1:${socket.address().port}`, asked };
}

void test("DNS-076, DNS-125: of chosen namespaces alone there are names, forward and reverse", async (t) => {
  const at = await running(t, { kubernetes: { namespaces: ["default"], fallthrough: [] } });
  await at.dns.synced();
  assert.equal(await said(at, "kubernetes.default.svc.cluster.local"), "10.0.0.10");
  assert.equal(await said(at, `svc1.${SVC}`), "NXDOMAIN");
  assert.equal(await said(at, SVC), "NXDOMAIN");
  assert.equal(await said(at, "1-2-3-4.testns.pod.cluster.local"), "NXDOMAIN");
  assert.equal(await said(at, "1.0.0.10.in-addr.arpa", "PTR"), "NXDOMAIN");
  at.objects.put(services, service("later", { clusterIP: "10.0.0.88" }));
  at.objects.put(services, service("later", { clusterIP: "10.0.0.89" }, "default"));
  await becomes(at, "later.default.svc.cluster.local", "10.0.0.89");
  assert.equal(await said(at, `later.${SVC}`), "NXDOMAIN");
});

void test("DNS-076, DNS-125: namespaces are chosen by their labels, whenever they get and lose them", async (t) => {
  const at = await running(t, { kubernetes: { namespaceLabels: "shown in (yes,y)", fallthrough: [] } });
  await at.dns.synced();
  const reverse = "1.0.0.10.in-addr.arpa";
  for (const labels of [{}, { shown: "yes" }, { shown: "no" }, { shown: "y" }]) {
    at.objects.put(namespaces, namespace("testns", labels));
    const isShown = (labels.shown ?? "no") !== "no";
    await becomes(at, `svc1.${SVC}`, isShown ? "10.0.0.1" : "NXDOMAIN");
    assert.equal(await said(at, SVC), isShown ? "NOERROR" : "NXDOMAIN");
    assert.equal(await said(at, reverse, "PTR"), isShown ? `svc1.${SVC}.` : "NXDOMAIN");
  }
  at.objects.remove(namespaces, "testns");
  await becomes(at, `svc1.${SVC}`, "NXDOMAIN");
});

void test("DNS-125: only Services, slices and pods with chosen labels are seen, and the server says which", async (t) => {
  const objects = createObjects();
  objects.put(services, labelled("shown", "10.0.3.1", { tier: "web" }));
  objects.put(services, labelled("headless", "None", { tier: "web" }));
  objects.put(endpointSlices, slice("headless", ["172.0.3.1"]));
  objects.put(pods, pod("hidden", "10.244.0.7"));
  const at = await running(t, { kubernetes: { labels: "tier=web", pods: "verified" } }, objects);
  await at.dns.synced();
  assert.equal(await said(at, `shown.${SVC}`), "10.0.3.1");
  assert.equal(await said(at, `svc1.${SVC}`), "NXDOMAIN");
  // Its slice has no such label.
  assert.equal(await said(at, `headless.${SVC}`), "NXDOMAIN");
  assert.equal(await said(at, "10-244-0-7.testns.pod.cluster.local"), "NXDOMAIN");
  const made = slice("headless", ["172.0.3.1"]);
  objects.put(endpointSlices, {
    ...made,
    metadata: { ...made.metadata, labels: { ...made.metadata.labels, tier: "web" } },
  });
  await becomes(at, `headless.${SVC}`, "172.0.3.1");
  objects.put(services, labelled("shown", "10.0.3.1", { tier: "db" }));
  await becomes(at, `shown.${SVC}`, "NXDOMAIN");
});

void test("DNS-126: without endpoints there are no names of them, nor of headless Services", async (t) => {
  const at = await running(t, { kubernetes: { noEndpoints: true, ignoreEmptyServices: true, fallthrough: [] } });
  await at.dns.synced();
  assert.equal(await said(at, `svc1.${SVC}`), "10.0.0.1");
  for (const name of ["hdls1", "dup-name.hdls1", "172-0-0-2.svc1", "web-0.nginx"]) {
    assert.equal(await said(at, `${name}.${SVC}`), "NXDOMAIN", name);
  }
  assert.equal(await said(at, "3.0.0.172.in-addr.arpa", "PTR"), "NXDOMAIN");
  assert.equal(await said(at, "1.0.0.10.in-addr.arpa", "PTR"), `svc1.${SVC}.`);
});

void test("DNS-126: blocks that see the same objects make names of them each in its own way", async (t) => {
  const ofBlock = (zone: string, kubernetes: Partial<KubernetesOptions>): ServerBlock =>
    configurationOf({ zone, kubernetes: { zones: [zone], ...kubernetes }, block: { zones: [zone] } }).servers[0]!;
  const at = await running(t, {
    more: [ofBlock("bare.test", { noEndpoints: true }), ofBlock("few.test", { namespaces: ["default"] })],
  });
  await at.dns.synced();
  for (const [name, here, bare, few] of [
    ["hdlsprtls.testns", "172.0.0.20", "NXDOMAIN", "NXDOMAIN"],
    ["svc1.testns", "10.0.0.1", "10.0.0.1", "NXDOMAIN"],
    ["kubernetes.default", "10.0.0.10", "10.0.0.10", "10.0.0.10"],
  ] as const) {
    assert.equal(await said(at, `${name}.svc.cluster.local`), here);
    assert.equal(await said(at, `${name}.svc.bare.test`), bare);
    assert.equal(await said(at, `${name}.svc.few.test`), few);
  }
});

void test("DNS-085: verified names of pods come and go with the pods", async (t) => {
  const at = await running(t, { kubernetes: { pods: "verified" } });
  await at.dns.synced();
  const name = "10-244-0-7.testns.pod.cluster.local";
  assert.equal(await said(at, name), "NXDOMAIN");
  at.objects.put(pods, pod("web", "10.244.0.7"));
  await becomes(at, name, "10.244.0.7");
  assert.equal(await said(at, "10-244-0-7.default.pod.cluster.local"), "NXDOMAIN");
  at.objects.put(pods, { ...pod("web", "10.244.0.7"), status: { phase: "Succeeded", podIP: "10.244.0.7" } } as Pod);
  await becomes(at, name, "NXDOMAIN");
  at.objects.put(pods, pod("other", "10.244.0.7"));
  await becomes(at, name, "10.244.0.7");
  at.objects.remove(pods, "testns/other");
  await becomes(at, name, "NXDOMAIN");
});

void test("DNS-096, DNS-127, DNS-128: the settings of endpoints reach the names", async (t) => {
  const objects = createObjects();
  objects.put(services, service("spread", { clusterIP: "None" }));
  const target = { kind: "Pod", name: "web-7f" };
  objects.put(endpointSlices, slice("spread", [{ address: "172.0.4.1", zone: "a", targetRef: target }, "172.0.4.2"]));
  const kubernetes = { endpointPodNames: true, ignoreEmptyServices: true, zonal: true };
  const at = await running(t, { kubernetes }, objects);
  await at.dns.synced();
  assert.equal(await said(at, `web-7f.spread.${SVC}`), "172.0.4.1");
  assert.equal(await said(at, `a.pin._zone.spread.${SVC}`), "172.0.4.1");
  assert.equal(await said(at, `b.prefer._zone.spread.${SVC}`), "172.0.4.1 172.0.4.2");
  assert.equal(await said(at, `svcempty.${SVC}`), "NXDOMAIN");
  assert.equal(await said(at, `svc1.${SVC}`), "10.0.0.1");
});

void test("DNS-045, DNS-048, DNS-124: what a block's zones do not hold, or may be elsewhere, goes upstream", async (t) => {
  const { at: upstream, asked } = await outside(t);
  const zones = ["cluster.local", "example.org", "0.10.in-addr.arpa", "fallen.test"];
  const kubernetes = { zones, fallthrough: ["fallen.test", "3.0.10.in-addr.arpa"] };
  const at = await running(t, { upstreams: [upstream], kubernetes });
  await at.dns.synced();
  assert.equal(await said(at, "svc1.testns.svc.example.org"), "10.0.0.1");
  assert.equal(await said(at, "1.0.0.10.in-addr.arpa", "PTR"), `svc1.${SVC}.`);
  for (const missing of ["77.0.0.10.in-addr.arpa", `svc0.${SVC}`, "svc0.testns.svc.example.org"]) {
    assert.match(await at.dig(missing, "PTR"), /status: NXDOMAIN[^]*SOA/, missing);
  }
  assert.deepEqual(asked, []);
  const elsewhere = ["2.0.0.172.in-addr.arpa", "77.3.0.10.in-addr.arpa", "svc0.testns.svc.fallen.test"];
  for (const name of elsewhere) await at.dig(name, "PTR");
  assert.deepEqual(
    asked,
    elsewhere.map((name) => `${name} PTR`),
  );
});

void test("DNS-080: a question that comes before the first lists waits for them, but not for long", async (t) => {
  const objects = createObjects({ holdLists: true });
  const at = await running(t, { kubernetes: { startupTimeout: 60_000 } }, objects);
  const asked = said(at, `svc1.${SVC}`);
  const other = said(at, "example.com");
  assert.equal(await other, "REFUSED");
  objects.release();
  assert.equal(await asked, "10.0.0.1");

  const held = createObjects({ holdLists: true });
  t.after(() => held.release());
  const late = await running(t, { kubernetes: { startupTimeout: 100 } }, held);
  assert.equal(await said(late, `svc1.${SVC}`), "SERVFAIL");
});

void test("DNS-062: in a cluster that was set up by somebody else, the name server is known by its Service", async (t) => {
  const at = await running(t, { block: { bind: ["127.0.0.1"] } });
  await at.dns.synced();
  assert.equal(await said(at, "ns.dns.cluster.local"), "127.0.0.1");
  at.objects.put(services, service("kube-dns", { clusterIP: "10.96.0.10" }, "kube-system"));
  await becomes(at, "ns.dns.cluster.local", "10.96.0.10");
  at.objects.put(services, service("own-dns", { clusterIP: "10.96.0.53" }, "kube-system"));
  at.objects.put(endpointSlices, slice("own-dns", ["127.0.0.1"], [], "IPv4", "kube-system"));
  await becomes(at, "ns.dns.cluster.local", "10.96.0.53");
  assert.match(await at.dig("cluster.local", "NS"), /ns\.dns\.cluster\.local\.\s+5\s+IN\s+A\s+10\.96\.0\.53/);
});

void test("DNS-120: a pod's search list is one round trip, and one question outside, until the cluster has such a name", async (t) => {
  const { at: upstream, asked } = await outside(t);
  const objects = createObjects();
  // Who asks in this test is 127.0.0.1.
  objects.put(pods, pod("asker", "127.0.0.1"));
  objects.put(pods, pod("elsewhere", "127.0.0.1", { nodeName: "there" }));
  const search = { hostSearches: [], nodeName: "here" };
  const at = await running(t, { upstreams: [upstream], search, kubernetes: { pods: "verified" } }, objects);
  await at.dns.synced();
  const made = `www.example.com.${SVC}`;
  await becomes(at, made, "192.0.2.80 www.example.com.");
  asked.length = 0;
  assert.equal(await said(at, made), "192.0.2.80 www.example.com.");
  assert.deepEqual(asked, ["www.example.com A"]);

  // Neither what is meant for Services, nor what pods of another namespace would ask.
  asked.length = 0;
  for (const other of [`www.${SVC}`, `svc0.${SVC}.${SVC}`, "www.example.com.default.svc.cluster.local"]) {
    assert.equal(await said(at, other), "NXDOMAIN", other);
  }
  assert.deepEqual(asked, []);

  // The pod goes: nobody who asks from there is known.
  objects.put(services, service("www-example", { clusterIP: "None" }));
  objects.remove(pods, "testns/asker");
  await becomes(at, made, "NXDOMAIN");
  objects.put(pods, pod("asker", "127.0.0.1"));
  await becomes(at, made, "192.0.2.80 www.example.com.");

  // A Service `example` in a namespace `com` with an endpoint `www`: the second domain finds it.
  objects.put(services, service("example", { clusterIP: "None" }, "com"));
  objects.put(endpointSlices, slice("example", [{ address: "172.0.5.5", hostname: "www" }], [], "IPv4", "com"));
  await becomes(at, made, "NXDOMAIN");
  assert.equal(await said(at, "www.example.com.svc.cluster.local"), "172.0.5.5");
});

void test("without the option nobody's search list is shortened, and no pods are watched", async (t) => {
  const { at: upstream, asked } = await outside(t);
  const objects = createObjects();
  objects.put(pods, pod("asker", "127.0.0.1"));
  const listed: string[] = [];
  const client = {
    ...objects,
    list: ((resource, ...rest) => {
      listed.push(resource.plural);
      return objects.list(resource, ...rest);
    }) as typeof objects.list,
  };
  const at = await running(t, { upstreams: [upstream] }, client);
  await at.dns.synced();
  assert.equal(await said(at, `www.example.com.${SVC}`), "NXDOMAIN");
  assert.deepEqual(asked, []);
  assert.deepEqual(listed.toSorted(), ["endpointslices", "namespaces", "services"]);
});
