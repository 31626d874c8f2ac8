import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec } from "../generated/types.ts";
import { podResolver, type ResolverGround } from "./resolver.ts";

const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-0", namespace: "shop" },
  spec: { containers: [], ...spec },
});

const GROUND: ResolverGround = {
  host: { nameservers: ["192.0.2.53"], searches: ["corp.example"], options: ["timeout:1"] },
  clusterDNS: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  nodeAddresses: ["192.0.2.1"],
};
const CLUSTER = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"];

const searchesOf = (spec: Partial<PodSpec>, ground: Partial<ResolverGround> = {}): readonly string[] =>
  podResolver(pod(spec), { ...GROUND, ...ground }).applied.searches;

for (const [title, spec, ground, expected] of [
  ["DNS-103: the cluster's domains, then the host's", {}, {}, [...CLUSTER, "corp.example"]],
  ["DNS-104: on the node's network the host's alone", { hostNetwork: true }, {}, ["corp.example"]],
  [
    "DNS-105: on the node's network, but cluster first",
    { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    {},
    [...CLUSTER, "corp.example"],
  ],
  ["DNS-106: Default is the host's", { dnsPolicy: "Default" }, {}, ["corp.example"]],
  [
    "DNS-107: None is what dnsConfig says",
    { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.9"], searches: ["x.y"] } },
    {},
    ["x.y"],
  ],
  ["DNS-108: dnsConfig comes last", { dnsConfig: { searches: ["x.y"] } }, {}, [...CLUSTER, "corp.example", "x.y"]],
  ["DNS-110: without cluster DNS the host's", {}, { clusterDNS: [] }, ["corp.example"]],
  ["DNS-111: without a cluster domain the host's", {}, { clusterDomain: "" }, ["corp.example"]],
] as const) {
  void test(title, () => assert.deepEqual(searchesOf(spec as Partial<PodSpec>, ground), expected));
}

void test("DNS-110, DNS-114: what the node lacks, and what a resolver does not take, is told apart from what is applied", () => {
  assert.equal(podResolver(pod(), { ...GROUND, clusterDNS: [] }).lacksCluster, true);
  assert.equal(podResolver(pod(), GROUND).lacksCluster, false);
  assert.equal(podResolver(pod({ dnsPolicy: "Default" }), { ...GROUND, clusterDNS: [] }).lacksCluster, false);
  const searches = Array.from({ length: 40 }, (_, at) => `d${at}.example`);
  const { wanted, applied } = podResolver(pod({ dnsConfig: { searches } }), GROUND);
  assert.equal(wanted.searches.length, 44);
  assert.equal(applied.searches.length, 32);
  assert.deepEqual(applied.searches.slice(0, 3), CLUSTER);
});
