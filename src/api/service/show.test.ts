import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceSpec } from "../generated/types.ts";
import { service } from "./service.ts";

const make = (spec: ServiceSpec, more: Partial<Service> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", creationTimestamp: "1970-01-01T00:00:00Z" },
  spec: { type: "ClusterIP", ...spec },
  ...more,
});
const cells = (made: Service): unknown[] => service.row(made, 125_000);

void test("SVC-309, SVC-327, SVC-328, SVC-331, SVC-332: the row of a plain Service", () => {
  const made = make({
    clusterIP: "10.96.0.7",
    clusterIPs: ["10.96.0.7", "fd00::7"],
    ports: [
      { port: 80, protocol: "TCP" },
      { port: 53, protocol: "UDP", nodePort: 30053 },
    ],
    selector: { b: "2", a: "1" },
  });
  assert.deepEqual(cells(made), ["web", "ClusterIP", "10.96.0.7", "<none>", "80/TCP,53:30053/UDP", "2m5s", "a=1,b=2"]);
  assert.deepEqual(
    service.columns.map(({ name, priority }) => `${name}${priority === 1 ? "(w)" : ""}`),
    ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector(w)"],
  );
});

const external: [id: string, made: Service, clusterIP: string, text: string][] = [
  ["SVC-327 headless", make({ clusterIP: "None", clusterIPs: ["None"] }), "None", "<none>"],
  ["SVC-328", make({ externalIPs: ["1.1.1.1", "2.2.2.2"] }), "<none>", "1.1.1.1,2.2.2.2"],
  ["SVC-329 pending", make({ type: "LoadBalancer" }), "<none>", "<pending>"],
  [
    "SVC-329",
    make(
      { type: "LoadBalancer", externalIPs: ["9.9.9.9"] },
      { status: { loadBalancer: { ingress: [{ hostname: "lb.example" }, { ip: "1.1.1.1" }, { ip: "1.1.1.1" }] } } },
    ),
    "<none>",
    "1.1.1.1,lb.example,9.9.9.9",
  ],
  ["SVC-330", make({ type: "ExternalName", externalName: "a.b" }), "<none>", "a.b"],
];
for (const [id, made, clusterIP, text] of external) {
  void test(`${id}: Cluster-IP is ${clusterIP} and External-IP is ${text}`, () =>
    assert.deepEqual(cells(made).slice(2, 4), [clusterIP, text]));
}

const warned: [id: string, made: Service, warnings: RegExp[]][] = [
  ["SVC-219 nothing to say", make({ clusterIPs: ["10.96.0.7"] }), []],
  [
    "SVC-212",
    make({}, { metadata: { annotations: { "service.kubernetes.io/topology-aware-hints": "Auto" } } }),
    [/topology-aware-hints is deprecated, please use service.kubernetes.io\/topology-mode/],
  ],
  ["SVC-213", make({ clusterIPs: ["010.96.0.7"] }), [/^spec.clusterIPs\[0\]: non-standard IP.*"10.96.0.7"/]],
  ["SVC-213 IPv6", make({ loadBalancerIP: "FD00::7" }), [/^spec.loadBalancerIP: .*RFC 5952.*"fd00::7"/]],
  [
    "SVC-214",
    make({ loadBalancerSourceRanges: ["10.0.0.1/8", "010.0.0.0/8"] }),
    [/^spec.loadBalancerSourceRanges\[0\]: .*ambiguous/, /^spec.loadBalancerSourceRanges\[1\]: non-standard CIDR/],
  ],
  [
    "SVC-215",
    make({
      clusterIP: "None",
      clusterIPs: ["None"],
      loadBalancerIP: "1.1.1.1",
      externalIPs: ["1.1.1.1"],
      sessionAffinity: "ClientIP",
    }),
    [/loadBalancerIP is ignored for headless/, /externalIPs is ignored for headless/, /SessionAffinity is ignored/],
  ],
  ["SVC-216", make({ externalIPs: ["1.1.1.1"] }), [/spec.externalIPs is deprecated/]],
  ["SVC-217", make({ type: "ExternalName", externalIPs: ["1.1.1.1"] }), [/externalIPs is ignored/]],
  ["SVC-217 other", make({ externalName: "a.b" }), [/spec.externalName is ignored/]],
  ["SVC-218", make({ trafficDistribution: "PreferClose" }), [/"PreferClose" is deprecated; use "PreferSameZone"/]],
];
for (const [id, made, wanted] of warned) {
  void test(`${id}: ${wanted.length} warnings`, () => {
    const said = service.warnings?.(made, undefined) ?? [];
    assert.equal(said.length, wanted.length, said.join("\n"));
    for (const [index, words] of wanted.entries()) assert.match(said[index]!, words);
  });
}

void test("SVC-199: the fields a Service is selected by", () => {
  assert.deepEqual(service.selectableFields(make({ clusterIP: "None" })), {
    "metadata.name": "web",
    "metadata.namespace": "",
    "spec.clusterIP": "None",
    "spec.type": "ClusterIP",
  });
});
