import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../api/generated/types.ts";
import type { Held } from "../claims/reader.ts";
import { decideNodePorts, type Leaks, type NodePortFinding } from "./node-ports.ts";

const range = { first: 30_000, last: 30_010 };
const service = (name: string, ...nodePorts: number[]): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: {
    type: "NodePort",
    ports: nodePorts.map((nodePort, index) => ({ name: `p${index}`, port: index + 1, protocol: "TCP", nodePort })),
  },
});
const claims = (...all: [number, string][]): Map<number, Held> =>
  new Map(all.map(([port, name]) => [port, { holder: { namespace: "default", name }, modRevision: port }]));
const said = ({ complaint, repair }: NodePortFinding): string =>
  [
    complaint === undefined ? "nothing" : `${complaint.reason} on ${complaint.about.metadata.name}`,
    repair && `${repair.type} ${repair.port}`,
  ]
    .filter(Boolean)
    .join(", ");
const found = (services: Service[], held: Map<number, Held>, leaks: Leaks = new Map()): string[] =>
  decideNodePorts({ services, claims: held, range, leaks }).findings.map(said);

void test("decideNodePorts: ports that are held as they should be; two protocols of one port are one claim", () => {
  assert.deepEqual(found([service("a", 30_000, 30_001, 30_001)], claims([30_000, "a"], [30_001, "a"])), []);
});

void test("SVC-278: a port without a claim is told of and claimed, a health check's too", () => {
  assert.deepEqual(found([service("a", 30_000)], claims()), ["PortNotAllocated on a, claim 30000"]);
  const balanced = service("b");
  balanced.spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_002, ports: [] };
  assert.deepEqual(found([balanced], claims()), ["PortNotAllocated on b, claim 30002"]);
});

void test("SVC-278: of several Services with one port the one that has the claim keeps it, else the first", () => {
  const both = [service("a", 30_000), service("b", 30_000)];
  assert.deepEqual(found(both, claims([30_000, "b"])), ["PortAlreadyAllocated on a"]);
  assert.deepEqual(found(both, claims()), ["PortNotAllocated on a, claim 30000", "PortAlreadyAllocated on b"]);
});

void test("SVC-278: a claim in the name of somebody who does not hold the port goes over to who does", () => {
  const verdict = decideNodePorts({
    services: [service("a", 30_000)],
    claims: claims([30_000, "gone"]),
    range,
    leaks: new Map(),
  });
  assert.deepEqual(verdict.findings.map(said), ["PortNotAllocated on a, claim 30000"]);
  const { repair } = verdict.findings[0]!;
  assert.equal(repair?.type === "claim" && repair.replaces?.modRevision, 30_000);
});

void test("SVC-278: a port outside the range is told of; it and its claim are let alone", () => {
  assert.deepEqual(found([service("a", 31_000)], claims()), ["PortOutOfRange on a"]);
  const leaks = new Map([[31_000, 2]]);
  assert.deepEqual(found([service("a", 31_000)], claims([31_000, "a"]), leaks), ["PortOutOfRange on a"]);
});

void test("SVC-278: a claim without a Service is freed at the third round in a row", () => {
  const held = claims([30_005, "gone"]);
  let leaks: Leaks = new Map();
  const round = (services: Service[]): string[] => {
    const verdict = decideNodePorts({ services, claims: held, range, leaks });
    ({ leaks } = verdict);
    return verdict.findings.map(said);
  };
  assert.deepEqual(round([]), []);
  assert.deepEqual(round([]), []);
  assert.deepEqual(round([service("gone", 30_005)]), [], "its Service was only late");
  assert.deepEqual(round([]), []);
  assert.deepEqual(round([]), []);
  assert.deepEqual(round([]), ["nothing, free 30005"]);
});
