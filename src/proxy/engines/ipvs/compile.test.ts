import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Destination, NodePlan, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import { compile, type IpvsPart } from "./compile.ts";
import { compileNode } from "./frame.ts";

const NODE: NodePlan = {
  nodeName: "node1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: "all", IPv6: [] },
  localhostNodePorts: true,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16"] },
  nodeAddresses: ["127.0.0.1", "192.168.8.1", "10.244.0.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};
const target = (ip: string, local: boolean): Target => ({ ip, port: 8080, local, weight: 1 });
const [NEAR, FAR] = [target("10.244.0.11", true), target("10.244.1.13", false)];
const to = (...targets: Target[]): Destination => ({ to: "targets", targets });

const port = (change: Partial<ServicePortPlan> = {}): ServicePortPlan => ({
  id: "default/web:http/TCP",
  family: "IPv4",
  protocol: "TCP",
  frontends: [{ ip: "10.96.0.1", port: 80, kind: "cluster" }],
  nodePort: undefined,
  internal: to(NEAR, FAR),
  external: to(NEAR, FAR),
  externalLocal: false,
  cluster: to(NEAR, FAR),
  serving: [],
  balance: undefined,
  onRemoval: { action: "keep" },
  keepsPort: false,
  affinitySeconds: undefined,
  sourceRanges: undefined,
  ...change,
});
const part = (change: Partial<ServicePortPlan>, node = NODE, service: Partial<ServicePlan> = {}): IpvsPart =>
  compile(
    {
      key: "default/web",
      clusterIPs: ["10.96.0.1"],
      ports: [port(change)],
      healthCheckNodePort: undefined,
      localReady: [],
      penaltyBox: false,
      complaints: [],
      ...service,
    },
    node,
    "rr",
  );
const keys = ({ elements }: IpvsPart, set: string): string[] =>
  elements.filter((one) => one.set === set).map(({ key }) => key);

test("PRX-077, PRX-082: node ports answer on every address of the machine but those of the loopback", () => {
  const made = part({ nodePort: 30_001 });
  deepEqual([...made.servers.keys()], ["-t 10.96.0.1:80", "-t 192.168.8.1:30001", "-t 10.244.0.1:30001"]);
  deepEqual(keys(made, "hide"), ["192.168.8.1,tcp:30001", "10.244.0.1,tcp:30001"]);
  deepEqual(keys(made, "hide-strangers"), ["10.96.0.1,tcp:80"]);
});

test("PRX-043: an externalIP that is the node's own is served and not bound", () => {
  const made = part({ frontends: [{ ip: "192.168.8.1", port: 443, kind: "external" }] });
  deepEqual(keys(made, "addresses"), ["10.96.0.1"]);
  deepEqual(keys(made, "ways"), ["192.168.8.1,tcp:443"]);
});

test("PRX-038, PRX-039: with externalTrafficPolicy Local the address has everybody's list, and a mark that of outsiders", () => {
  const frontends = [{ ip: "203.0.113.1", port: 80, kind: "external" }] as const;
  const made = part({ frontends, externalLocal: true, external: to(NEAR) });
  deepEqual([...made.servers.get("-t 203.0.113.1:80")!.targets.keys()], ["10.244.0.11:8080", "10.244.1.13:8080"]);
  equal(made.marked.length, 1);
  deepEqual(made.marked[0]!.ways, ["203.0.113.1,tcp:80"]);
  deepEqual([...made.marked[0]!.targets.keys()], ["10.244.0.11:8080"]);
  const none = part({ frontends, externalLocal: true, external: { to: "drop" } });
  deepEqual(none.marked, []);
  deepEqual(keys(none, "outside-drop"), ["203.0.113.1,tcp:80"]);
});

test("PRX-045, PRX-047: who is refused or not heard keeps a virtual server, without endpoints", () => {
  for (const end of ["reject", "drop"] as const) {
    const made = part({ internal: { to: end } });
    deepEqual(keys(made, end), ["10.96.0.1,tcp:80"]);
    equal(made.servers.get("-t 10.96.0.1:80")?.targets.size, 0);
  }
});

test("PRX-060, PRX-061: without a detector no source of a clusterIP is hidden, with masqueradeAll every one", () => {
  const blind = part({}, { ...NODE, localDetector: { by: "ranges", ranges: [] } });
  deepEqual([...keys(blind, "hide"), ...keys(blind, "hide-strangers")], []);
  deepEqual(keys(part({}, { ...NODE, masqueradeAll: true }), "hide"), ["10.96.0.1,tcp:80"]);
});

test("PRX-091, PRX-094: source ranges are elements of sets, with the VIP itself where the node is in them", () => {
  const frontends = [{ ip: "192.0.2.1", port: 80, kind: "loadBalancer" }] as const;
  const ranges = (sourceRanges: string[]): string[] => keys(part({ frontends, sourceRanges }), "allowed");
  deepEqual(ranges(["198.51.100.7/32", "198.51.100.128/25"]), [
    "192.0.2.1,tcp:80,198.51.100.7",
    "192.0.2.1,tcp:80,198.51.100.128/25",
  ]);
  deepEqual(ranges(["192.168.0.0/16"]), ["192.0.2.1,tcp:80,192.168.0.0/16", "192.0.2.1,tcp:80,192.0.2.1"]);
});

test("a range of ports is left alone", () => {
  const range = part({
    keepsPort: true,
    frontends: [{ ip: "10.96.0.1", port: 9000, lastPort: 9009, kind: "cluster" }],
  });
  equal(range.servers.size, 0);
  deepEqual(keys(range, "ways"), []);
});

test("rules depend on the node alone, and a range of everybody becomes its halves", () => {
  const frame = compileNode({ ...NODE, localDetector: { by: "ranges", ranges: ["0.0.0.0/0"] }, masqueradeBit: 31 });
  deepEqual(
    frame.elements.filter(({ set }) => set === "pods").map(({ key }) => key),
    ["0.0.0.0/1", "128.0.0.0/1"],
  );
  ok(frame.rules.IPv4!.nat.some((rule) => rule.includes("--mark 0x80000000/0x80000000")));
  ok(
    compileNode({ ...NODE, localDetector: { by: "interface-prefix", prefix: "veth" } }).rules.IPv4!.mangle.some(
      (rule) => rule.includes("! -i veth+"),
    ),
  );
});
