import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointPort, EndpointSlice } from "../generated/types.ts";
import { endpointSlice } from "./endpointSlice.ts";

const NOW = { now: "" };
const make = (more: Partial<EndpointSlice>): EndpointSlice =>
  endpointSlice.defaults({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-1", namespace: "default" },
    addressType: "IPv4",
    ...more,
  });
const to = (...addresses: string[]): Endpoint => ({ addresses });
const faultsOf = (next: EndpointSlice, previous?: EndpointSlice): string[] =>
  endpointSlice.validate(next, previous).map(({ reason, field }) => `${reason.replace("FieldValue", "")} ${field}`);
const hints = (more: object): Partial<EndpointSlice> => ({ endpoints: [{ ...to("10.0.0.1"), hints: more }] });
const at = "endpoints[0].addresses";
const nine = Array.from({ length: 9 }, (_, index) => ({ name: `z${index}` }));

const created: [id: string, more: Partial<EndpointSlice>, faults: string[]][] = [
  ["SVC-253 a plain one", { endpoints: [to("10.0.0.1")], ports: [{ port: 80 }] }, []],
  ["SVC-240", { addressType: "" }, ["Required addressType"]],
  ["SVC-240 bad", { addressType: "IPv5" }, ["NotSupported addressType"]],
  ["SVC-241", { endpoints: Array.from({ length: 1001 }, () => to()) }, ["TooMany endpoints"]],
  ["SVC-241 ports", { ports: Array.from({ length: 20001 }, (): EndpointPort => ({})) }, ["TooMany ports"]],
  ["SVC-242", { endpoints: [to()] }, [`Required ${at}`]],
  ["SVC-242 many", { endpoints: [to(...Array<string>(101).fill("10.0.0.1"))] }, [`TooMany ${at}`]],
  ["SVC-243", { endpoints: [to("x")] }, [`Invalid ${at}[0]`]],
  ["SVC-243 family", { endpoints: [to("fd00::1")] }, [`Invalid ${at}`]],
  ["SVC-243 special", { endpoints: [to("127.0.0.1")] }, [`Invalid ${at}[0]`]],
  ["SVC-244", { addressType: "IPv6", endpoints: [to("FD00::1")] }, [`Invalid ${at}[0]`]],
  ["SVC-244 good", { addressType: "IPv6", endpoints: [to("fd00::1")] }, []],
  ["SVC-244 family", { addressType: "IPv6", endpoints: [to("10.0.0.1")] }, [`Invalid ${at}`]],
  ["SVC-245", { addressType: "FQDN", endpoints: [to("a.b."), to("a")] }, ["Invalid endpoints[1].addresses[0]"]],
  [
    "SVC-247",
    { endpoints: [{ ...to("10.0.0.1"), nodeName: "A", hostname: "A" }] },
    ["Invalid endpoints[0].nodeName", "Invalid endpoints[0].hostname"],
  ],
  ["SVC-249", hints({ forZones: nine }), ["TooMany endpoints[0].hints.forZones"]],
  [
    "SVC-249 twice",
    hints({ forZones: [{ name: "z" }, { name: "z" }] }),
    ["Duplicate endpoints[0].hints.forZones[1].name"],
  ],
  ["SVC-249 nodes", hints({ forNodes: [{ name: "A" }] }), ["Invalid endpoints[0].hints.forNodes[0].name"]],
  ["SVC-250", { ports: [{ port: 80 }, { port: 81 }] }, ["Duplicate ports[1].name"]],
  ["SVC-250 free number", { ports: [{ port: 99999 }, { name: "all" }] }, []],
  ["SVC-250 name", { ports: [{ name: "A" }] }, ["Invalid ports[0].name"]],
];
for (const [id, more, faults] of created) {
  void test(`${id}: ${faults.join(", ") || "no fault"}`, () => assert.deepEqual(faultsOf(make(more)), faults));
}

void test("SVC-240, SVC-246: on update the address type is fixed and untouched endpoints are not judged", () => {
  const was = make({ endpoints: [to("127.0.0.1")] });
  assert.deepEqual(faultsOf(make({ endpoints: [to("127.0.0.1")] }), was), []);
  assert.deepEqual(faultsOf(make({ addressType: "IPv6" }), was), ["Invalid addressType"]);
});

void test("SVC-250, SVC-251: defaults", () => {
  const made = make({ ports: [{ port: 80 }], endpoints: [{ ...to("10.0.0.1"), deprecatedTopology: { a: "b" } }] });
  assert.deepEqual(made.ports, [{ port: 80, name: "", protocol: "TCP" }]);
  assert.deepEqual(made.endpoints, [{ ...to("10.0.0.1"), conditions: {} }]);
});

void test("SVC-239: the generation moves with content and labels, not with annotations", () => {
  const was = endpointSlice.prepareForCreate(make({ endpoints: [to("10.0.0.1")] }), NOW);
  const generation = (more: Partial<EndpointSlice>, metadata: object = {}): unknown =>
    endpointSlice.prepareForUpdate({ ...was, ...more, metadata: { ...was.metadata, ...metadata } }, was, NOW).metadata
      .generation;
  assert.equal(was.metadata.generation, 1);
  assert.equal(generation({}), 1);
  assert.equal(generation({}, { annotations: { a: "b" } }), 1);
  assert.equal(generation({}, { generation: 9 }), 1);
  assert.equal(generation({}, { labels: { a: "b" } }), 2);
  assert.equal(generation({ endpoints: [to("10.0.0.2")] }), 2);
});

void test("SVC-335, SVC-336: the cells of ports and endpoints", () => {
  const cells = (more: Partial<EndpointSlice>): unknown[] => endpointSlice.row(make(more), 0).slice(1, 4);
  assert.deepEqual(cells({}), ["IPv4", "<unset>", "<unset>"]);
  const four = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map((ip) => ({
    ...to(ip),
    conditions: { ready: false },
  }));
  assert.deepEqual(cells({ endpoints: four, ports: [{ port: 80 }, { name: "a" }, {}] }), [
    "IPv4",
    "80,a,",
    "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
  ]);
});

void test("SVC-222: warnings for odd addresses and for names as addresses", () => {
  const warned = (next: EndpointSlice, previous?: EndpointSlice): string =>
    endpointSlice.warnings?.(next, previous).join() ?? "";
  assert.match(warned(make({ endpoints: [to("010.0.0.1")] })), /^endpoints\[0\].addresses\[0\]: non-standard/);
  const names = make({ addressType: "FQDN" });
  assert.match(warned(names), /deprecated/);
  assert.equal(warned(names, names), "");
  const labels = { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" };
  assert.equal(warned(make({ endpoints: [to("010.0.0.1")], metadata: { labels } })), "");
});
