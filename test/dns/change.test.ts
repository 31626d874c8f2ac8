import assert from "node:assert/strict";
import { test } from "node:test";
import * as packets from "dns-packet";
import { endpointSlices, namespaces, services } from "../../src/api/resources.ts";
import { ask, eventually, overUdp, running, type Running } from "./running.ts";
import { service, slice } from "./testns.ts";

const SVC = "testns.svc.cluster.local";

/** What one question is answered with now: addresses, or the code. */
async function now(at: Running, name: string, type: packets.RecordType = "A"): Promise<string> {
  const response = packets.decode((await overUdp(at.port, ask(name, type)))!);
  const answers = (response.answers ?? []).map((answer) =>
    answer.type === "A" || answer.type === "CNAME" || answer.type === "PTR" ? answer.data : answer.type,
  );
  return answers.length > 0 ? answers.toSorted().join(" ") : (response as { rcode?: string }).rcode!;
}

const becomes = (at: Running, name: string, answer: string, type?: packets.RecordType): Promise<true> =>
  eventually(`${name} to be ${answer}`, async () => ((await now(at, name, type)) === answer ? true : undefined));

void test("DNS-027, DNS-082: after each change of the objects, cached answers are the new ones", async (t) => {
  const at = await running(t);
  await at.dns.synced();
  const name = `fresh.${SVC}`;
  const reverse = "66.0.0.10.in-addr.arpa";
  // Each is asked beforehand, so that an answer is in the cache which the change has to drop.
  assert.equal(await now(at, name), "NXDOMAIN");
  assert.equal(await now(at, reverse, "PTR"), "NXDOMAIN");
  at.objects.put(services, service("fresh", { clusterIP: "10.0.0.66" }));
  await becomes(at, name, "10.0.0.66");
  assert.equal(await now(at, reverse, "PTR"), name);

  at.objects.put(services, service("fresh", { clusterIP: "None" }));
  await becomes(at, name, "NXDOMAIN");
  assert.equal(await now(at, reverse, "PTR"), "NXDOMAIN");

  at.objects.put(endpointSlices, slice("fresh", ["172.0.0.70"]));
  await becomes(at, name, "172.0.0.70");
  const unready = slice("fresh", [{ address: "172.0.0.70", conditions: { ready: false } }]);
  at.objects.put(endpointSlices, unready);
  await becomes(at, name, "NXDOMAIN");
  at.objects.put(endpointSlices, slice("fresh", ["172.0.0.71"]));
  await becomes(at, name, "172.0.0.71");

  at.objects.remove(services, "testns/fresh");
  await becomes(at, name, "NXDOMAIN");
  assert.equal(await now(at, `172-0-0-71.${name}`), "NXDOMAIN");
});

void test("DNS-094: the very next answer after the cache heard of a change is new", async (t) => {
  const at = await running(t);
  await at.dns.synced();
  const name = `nginx.${SVC}`;
  for (let turn = 0; turn < 50; turn += 1) {
    const address = `172.2.0.${turn}`;
    await now(at, name);
    at.objects.put(endpointSlices, slice("nginx", [address, "172.2.1.1"]));
    // The watch delivers in the turn after the change; from then on no old answer may be seen.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await now(at, name), [address, "172.2.1.1"].toSorted().join(" "), `turn ${turn}`);
  }
});

void test("DNS-051, DNS-056: an ExternalName's cached answer goes when its target changes", async (t) => {
  const at = await running(t);
  await at.dns.synced();
  const name = `external-to-external.${SVC}`;
  assert.match(await now(at, name), /^10\.0\.0\.1 /);
  at.objects.put(services, service("svc1", { clusterIP: "10.0.0.101" }));
  await becomes(at, name, `10.0.0.101 external-to-service.${SVC} svc1.${SVC}`);
  at.objects.remove(services, "testns/svc1");
  await becomes(at, name, "NOERROR");
  at.objects.put(services, service("external-to-external", { clusterIP: "10.0.0.102" }));
  await becomes(at, name, "10.0.0.102");
});

void test("DNS-068, DNS-084: a namespace that comes or goes changes its cached names", async (t) => {
  const at = await running(t);
  await at.dns.synced();
  const name = "1-2-3-4.later.pod.cluster.local";
  assert.equal(await now(at, name), "NXDOMAIN");
  at.objects.put(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "later" } });
  await becomes(at, name, "1.2.3.4");
  at.objects.remove(namespaces, "later");
  await becomes(at, name, "NXDOMAIN");
});

void test("a slice given to another Service leaves the first", async (t) => {
  const at = await running(t);
  await at.dns.synced();
  at.objects.put(services, service("one", { clusterIP: "None" }));
  at.objects.put(services, service("two", { clusterIP: "None" }));
  const first = slice("one", ["172.0.0.81"]);
  at.objects.put(endpointSlices, first);
  await becomes(at, `one.${SVC}`, "172.0.0.81");
  const labels = { "kubernetes.io/service-name": "two" };
  at.objects.put(endpointSlices, { ...first, metadata: { ...first.metadata, labels } });
  await becomes(at, `one.${SVC}`, "NXDOMAIN");
  await becomes(at, `two.${SVC}`, "172.0.0.81");
});
