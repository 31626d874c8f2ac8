import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSubset } from "../generated/types.ts";
import { endpoints } from "./endpoints.ts";

const make = (subsets: EndpointSubset[] | undefined, name = "web"): Endpoints =>
  endpoints.defaults({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace: "default" },
    ...(subsets === undefined ? {} : { subsets }),
  });
const ip = (text: string) => ({ ip: text });
const faultsOf = (next: Endpoints, previous?: Endpoints): string[] =>
  endpoints.validate(next, previous).map(({ reason, field }) => `${reason.replace("FieldValue", "")} ${field}`);
const A = [ip("10.0.0.1")];

void test("SVC-227: a port without protocol is TCP", () =>
  assert.deepEqual(make([{ addresses: A, ports: [{ port: 80 }] }]).subsets?.[0]?.ports, [
    { port: 80, protocol: "TCP" },
  ]));

const created: [id: string, subset: EndpointSubset, faults: string[]][] = [
  ["SVC-232", { addresses: A }, []],
  ["SVC-228", { ports: [{ port: 80 }] }, ["Required subsets[0]"]],
  ["SVC-229", { addresses: [ip("x")] }, Array.from({ length: 2 }, () => "Invalid subsets[0].addresses[0].ip")],
  ["SVC-229 loopback", { notReadyAddresses: [ip("127.0.0.1")] }, ["Invalid subsets[0].notReadyAddresses[0].ip"]],
  ["SVC-230", { addresses: [{ ip: "10.0.0.1", hostname: "A" }] }, ["Invalid subsets[0].addresses[0].hostname"]],
  ["SVC-230 node", { addresses: [{ ip: "10.0.0.1", nodeName: "A" }] }, ["Invalid subsets[0].addresses[0].nodeName"]],
  [
    "SVC-231",
    { addresses: A, ports: [{ port: 0 }, { port: 1, name: "a", protocol: "x" }] },
    [
      "Required subsets[0].ports[0].name",
      "Invalid subsets[0].ports[0].port",
      "NotSupported subsets[0].ports[1].protocol",
    ],
  ],
  [
    "SVC-231 names",
    {
      addresses: A,
      ports: [
        { port: 1, name: "a" },
        { port: 2, name: "a" },
      ],
    },
    [],
  ],
];
for (const [id, subset, faults] of created) {
  void test(`${id}: ${faults.join(", ") || "no fault"}`, () => assert.deepEqual(faultsOf(make([subset])), faults));
}

void test("SVC-233: subsets that an update leaves alone are not judged again", () => {
  const was = make([{ addresses: [ip("127.0.0.1")] }]);
  assert.deepEqual(faultsOf(make([{ addresses: [ip("127.0.0.1")] }]), was), []);
  assert.deepEqual(faultsOf(make([{ addresses: [ip("127.0.0.1"), ...A] }]), was), [
    "Invalid subsets[0].addresses[0].ip",
  ]);
});

void test("SVC-234: Endpoints may have a name that no Service may have", () =>
  assert.deepEqual(faultsOf(make([], "a.b")), []));

const shown: [id: string, subsets: EndpointSubset[] | undefined, text: string][] = [
  ["SVC-333 none", undefined, "<none>"],
  ["SVC-333 not ready", [{ notReadyAddresses: A }], ""],
  [
    "SVC-333",
    [{ addresses: [...A, ip("fd00::1")], ports: [{ port: 80 }, { port: 81 }] }],
    "10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 1 more...",
  ],
  ["SVC-334", [{ addresses: [...A, ip("fd00::1")] }], "10.0.0.1,fd00::1"],
];
for (const [id, subsets, text] of shown) {
  void test(`${id}: the cell is ${JSON.stringify(text)}`, () => assert.equal(endpoints.row(make(subsets), 0)[1], text));
}

void test("SVC-221: odd addresses are warned about, unless the controller wrote them", () => {
  const odd = make([{ addresses: [ip("010.0.0.1")] }]);
  assert.match(endpoints.warnings?.(odd, undefined).join() ?? "", /^subsets\[0\].addresses\[0\].ip: non-standard/);
  const labels = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
  assert.deepEqual(endpoints.warnings?.({ ...odd, metadata: { labels } }, undefined), []);
});
