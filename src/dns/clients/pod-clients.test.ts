import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec, PodStatus } from "../../api/generated/types.ts";
import type { Cache } from "../../client/cached.ts";
import { createIndexed } from "../../client/indexed.ts";
import type { PodClient } from "./clients.ts";
import { POD_INDEXES, podClients, type PodClientsOptions } from "./pod-clients.ts";

const pod = (
  name: string,
  addresses: readonly string[],
  spec: Partial<PodSpec> = {},
  status: Partial<PodStatus> = {},
  metadata: Partial<Pod["metadata"]> = {},
): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", ...metadata },
  spec: { containers: [], ...spec },
  status: { phase: "Running", podIP: addresses[0], podIPs: addresses.map((ip) => ({ ip })), ...status },
});

function clientsOf(pods: readonly Pod[], options: Partial<PodClientsOptions> = {}) {
  const held = createIndexed<Pod>(POD_INDEXES);
  for (const each of pods) held.set(each.metadata.name!, each);
  const cache = held as unknown as Cache<Pod>;
  return podClients({ pods: cache, clusterDomain: "cluster.local", hostSearches: ["corp.example"], ...options });
}

const WEB: PodClient = { namespace: "shop", name: "web", searches: ["corp.example"], logged: false };

void test("a pod is known by each of its addresses, however they were written", () => {
  const clients = clientsOf([pod("web", ["10.244.0.7", "FD00:10:244::0:7"])]);
  assert.deepEqual(clients.of("10.244.0.7"), WEB);
  assert.deepEqual(clients.of("fd00:10:244::7"), WEB);
  assert.equal(clients.of("10.244.0.8"), undefined);
  assert.equal(clients.of(""), undefined);
});

void test("nobody is known for certain behind an address that is a node's, or two pods', or that of one which ends", () => {
  for (const [why, pods] of [
    ["on the node's network", [pod("web", ["10.244.0.7"], { hostNetwork: true })]],
    [
      "one of two is on the node's network",
      [pod("web", ["10.244.0.7"]), pod("b", ["10.244.0.7"], { hostNetwork: true })],
    ],
    ["two pods", [pod("web", ["10.244.0.7"]), pod("b", ["10.244.0.7"])]],
    ["succeeded", [pod("web", ["10.244.0.7"], {}, { phase: "Succeeded" })]],
    ["failed", [pod("web", ["10.244.0.7"], {}, { phase: "Failed" })]],
    ["being deleted", [pod("web", ["10.244.0.7"], {}, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })]],
    ["without an address", [pod("web", [])]],
  ] as const) {
    assert.equal(clientsOf(pods).of("10.244.0.7"), undefined, why);
  }
  const over = pod("old", ["10.244.0.7"], {}, { phase: "Failed" });
  assert.deepEqual(clientsOf([over, pod("web", ["10.244.0.7"])]).of("10.244.0.7"), WEB);
});

void test("nobody is known while the pods' list may be behind", () => {
  let fresh = true;
  const clients = clientsOf([pod("web", ["10.244.0.7"])], { fresh: () => fresh });
  assert.deepEqual(clients.of("10.244.0.7"), WEB);
  fresh = false;
  assert.equal(clients.of("10.244.0.7"), undefined);
});

const searches = (spec: Partial<PodSpec>, options: Partial<PodClientsOptions> = {}): readonly string[] | undefined =>
  clientsOf([pod("web", ["10.244.0.7"], spec)], options).of("10.244.0.7")?.searches;

void test("the search list behind the cluster's domains is the host's and the pod's own", () => {
  assert.deepEqual(searches({}), ["corp.example"]);
  assert.deepEqual(searches({}, { hostSearches: [] }), []);
  assert.deepEqual(searches({}, { hostSearches: ["cluster.local", "b.example"] }), ["b.example"]);
  assert.deepEqual(searches({ dnsConfig: { searches: ["x.y"] } }), ["corp.example", "x.y"]);
  const many = Array.from({ length: 40 }, (_, at) => `d${at}.example`);
  assert.equal(searches({ dnsConfig: { searches: many } })?.length, 29);
});

void test("a list that does not begin with the cluster's three, or is not known, is none", () => {
  const own = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"];
  assert.equal(searches({ dnsPolicy: "Default" }), undefined);
  assert.equal(searches({ dnsPolicy: "None", dnsConfig: { searches: ["x.y"] } }), undefined);
  assert.equal(searches({}, { clusterDomain: "" }), undefined);
  assert.equal(searches({}, { hostSearches: undefined }), undefined);
  // Written by hand, but the very same.
  assert.deepEqual(searches({ dnsPolicy: "None", dnsConfig: { searches: [...own, "x.y"] } }), ["x.y"]);
  assert.equal(searches({ dnsPolicy: "None", dnsConfig: { searches: [own[0]!, own[2]!, own[1]!] } }), undefined);
});

void test("an annotation asks for the pod's queries in the log", () => {
  const annotated = (value: string): boolean | undefined =>
    clientsOf([pod("web", ["10.244.0.7"], {}, {}, { annotations: { "fairlead.dev/dns-log": value } })]).of("10.244.0.7")
      ?.logged;
  assert.equal(annotated("true"), true);
  assert.equal(annotated("false"), false);
  const one = (value: string): Pod =>
    pod(value, ["10.244.0.7"], {}, {}, { annotations: { "fairlead.dev/dns-log": value } });
  assert.equal(clientsOf([pod("web", ["10.244.0.8"]), one("false")]).isAnyLogged, false);
  assert.equal(clientsOf([pod("web", ["10.244.0.8"]), one("true")]).isAnyLogged, true);
});
