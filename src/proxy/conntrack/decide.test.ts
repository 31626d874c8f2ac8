import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Flow } from "../../host/conntrack/flow.ts";
import type { NodePlan } from "../plan/plan.ts";
import { staleFlows, type Changed } from "./decide.ts";
import { questions, type FlowPort } from "./flow-ports.ts";

const node: NodePlan = {
  nodeName: "node1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: ["192.168.0.1"], IPv6: [] },
  localhostNodePorts: true,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: [] },
  nodeAddresses: ["192.168.0.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};
const flow = (to: string, from: string): Flow => {
  const [destination = "", port] = to.split(":");
  const [source = "", sourcePort] = from.split(":");
  return {
    family: "IPv4",
    protocol: "UDP",
    original: { source: "192.168.8.2", sourcePort: 5000, destination, destinationPort: Number(port) },
    reply: { source, sourcePort: Number(sourcePort), destination: "192.168.8.2", destinationPort: 5000 },
    replied: true,
    redirected: to !== from,
    tcpState: undefined,
  };
};
const port = (change: Partial<FlowPort> = {}): FlowPort => ({
  id: "default/web:udp/UDP",
  family: "IPv4",
  ways: [{ ip: "10.96.0.1", port: 53, lastPort: 53 }],
  nodePort: 30_053,
  serving: [{ ip: "10.244.0.1", port: 5353 }],
  keepsPort: false,
  ...change,
});
const stale = (flows: readonly Flow[], change: Partial<Changed>): string[] =>
  staleFlows(flows, { was: [], now: [], node, all: false, answersItself: false, ...change }).map(
    ({ original, reply }) => `${original.destination}:${original.destinationPort} ${reply.source}:${reply.sourcePort}`,
  );

test("PRX-203, PRX-206, PRX-207: a flow on a way in must lead to an endpoint that serves, and to its port", () => {
  const good = [flow("10.96.0.1:53", "10.244.0.1:5353"), flow("192.168.0.1:30053", "10.244.0.1:5353")];
  const bad = [
    flow("10.96.0.1:53", "10.244.0.2:5353"),
    flow("10.96.0.1:53", "10.244.0.1:5354"),
    flow("10.96.0.1:53", "10.96.0.1:53"),
    flow("192.168.0.1:30053", "192.168.0.1:30053"),
  ];
  const others = [flow("10.96.0.1:54", "10.244.0.2:5353"), flow("8.8.8.8:30053", "8.8.8.8:30053")];
  equal(stale([...good, ...bad, ...others], { now: [port()] }).length, bad.length);
  deepEqual(stale([...good, ...others], { now: [port()] }), []);
});

test("PRX-208: of a way that is none any more only flows that were led on are taken away; at a start those of any Service address", () => {
  const led = flow("10.96.0.1:53", "10.244.0.1:5353");
  const own = flow("10.96.0.1:53", "10.96.0.1:53");
  deepEqual(stale([led, own], { was: [port()] }), ["10.96.0.1:53 10.244.0.1:5353"]);
  deepEqual(stale([led, own], {}), []);
  deepEqual(stale([led, own, flow("10.97.0.1:53", "10.244.0.1:5353")], { all: true }), [
    "10.96.0.1:53 10.244.0.1:5353",
  ]);
});

test("a range of ports keeps the client's port, and an engine that answers itself keeps its flows", () => {
  const ranged = port({ ways: [{ ip: "10.96.0.1", port: 100, lastPort: 200 }], nodePort: undefined, keepsPort: true });
  const flows = [flow("10.96.0.1:150", "10.244.0.1:150"), flow("10.96.0.1:150", "10.244.0.1:5353")];
  deepEqual(stale(flows, { now: [ranged] }), ["10.96.0.1:150 10.244.0.1:5353"]);
  const own = flow("10.96.0.1:53", "10.96.0.1:53");
  deepEqual(stale([own], { now: [port()], answersItself: true }), []);
});

test("where node ports answer on all addresses, flows of others to the same number elsewhere stay", () => {
  const everywhere = { ...node, nodePortAddresses: { IPv4: "all", IPv6: "all" } } as const;
  const flows = [
    flow("172.16.0.9:30053", "10.244.0.9:5353"),
    flow("192.168.0.1:30053", "192.168.0.1:30053"),
    flow("8.8.8.8:30053", "8.8.8.8:30053"),
  ];
  deepEqual(stale(flows, { now: [port()], node: everywhere }), [
    "172.16.0.9:30053 10.244.0.9:5353",
    "192.168.0.1:30053 192.168.0.1:30053",
  ]);
});

test("the kernel is asked few questions, and those find every flow that could be stale", () => {
  const number = fc.integer({ min: 50, max: 54 });
  const ports = fc.array(
    fc.record({
      ip: fc.constantFrom("10.96.0.1", "10.96.0.2", "10.96.0.3"),
      at: number,
      nodePort: fc.option(number, { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(ports, fc.constantFrom("10.96.0.1", "10.96.0.2", "192.168.0.1"), number, (given, ip, at) => {
      const now = given.map((one) =>
        port({ ways: [{ ip: one.ip, port: one.at, lastPort: one.at }], nodePort: one.nodePort }),
      );
      const wrong = flow(`${ip}:${at}`, "10.244.0.9:1");
      const asked = questions(now, "UDP");
      const found = asked.some(
        ({ original = {} }) => (original.destination ?? ip) === ip && (original.destinationPort ?? at) === at,
      );
      if (stale([wrong], { now }).length > 0) equal(found, true);
      equal(asked.length <= 2, true);
    }),
  );
});
