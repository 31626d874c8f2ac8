import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/generated/types.ts";
import { nodeFacts, primaryAddresses, primaryFamily } from "./facts.ts";
import { nodePlan, type NodeSettings } from "./node-plan.ts";

const SETTINGS: NodeSettings = {
  nodeName: "n1",
  families: ["IPv4", "IPv6"],
  bindAddress: "0.0.0.0",
  nodePortAddresses: [],
  localhostNodePorts: true,
  serviceRanges: [],
  localDetector: { by: "ranges", ranges: [] },
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};
const OWN = ["127.0.0.1", "::1", "192.168.1.5", "10.0.0.5", "fd00::5"];

const node = (more: Partial<Node> = {}): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  status: {
    addresses: [
      { type: "Hostname", address: "n1" },
      { type: "ExternalIP", address: "203.0.113.5" },
      { type: "InternalIP", address: "10.0.0.5" },
      { type: "InternalIP", address: "fd00::5" },
    ],
  },
  ...more,
});
const answering = (settings: Partial<NodeSettings>, facts = nodeFacts(node()), own = OWN) =>
  nodePlan({ ...SETTINGS, ...settings }, facts, own).nodePortAddresses;

test("PRX-260: addresses of a Node are its InternalIPs, then its ExternalIPs, and bindAddress is stronger in its family", () => {
  const { addresses } = nodeFacts(node());
  deepEqual(addresses, ["10.0.0.5", "fd00::5", "203.0.113.5"]);
  deepEqual(primaryAddresses("0.0.0.0", addresses), { IPv4: "10.0.0.5", IPv6: "fd00::5" });
  deepEqual(primaryAddresses("192.168.1.5", addresses), { IPv4: "192.168.1.5", IPv6: "fd00::5" });
  deepEqual(primaryAddresses("::", []), {});
});

test("PRX-259: the primary family is bindAddress's, else that of the Node's first address, else IPv4", () => {
  equal(primaryFamily("fd00::1", ["10.0.0.5"]), "IPv6");
  equal(primaryFamily("0.0.0.0", ["fd00::5", "10.0.0.5"]), "IPv6");
  equal(primaryFamily("::", []), "IPv4");
});

test("PRX-117: a Node is eligible unless it is gone, being deleted, or tainted to be", () => {
  const eligible = (one: Node | undefined): boolean => nodeFacts(one).eligible;
  equal(eligible(node()), true);
  equal(eligible(undefined), false);
  equal(eligible(node({ metadata: { name: "n1", deletionTimestamp: "2026-01-01T00:00:00Z" } })), false);
  equal(eligible(node({ spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } })), false);
  equal(eligible(node({ spec: { taints: [{ key: "other", effect: "NoSchedule" }] } })), true);
});

test("PRX-077: nothing said is every address", () => {
  deepEqual(answering({}), { IPv4: "all", IPv6: "all" });
});

test("PRX-078: ranges of one family do not restrict the other, and a zero range is everything", () => {
  deepEqual(answering({ nodePortAddresses: ["192.168.0.0/16"] }), { IPv4: ["192.168.1.5"], IPv6: "all" });
  deepEqual(answering({ nodePortAddresses: ["192.168.0.0/16", "0.0.0.0/0", "fd00::/64"] }), {
    IPv4: "all",
    IPv6: ["fd00::5"],
  });
});

test("PRX-079: ranges are matched with the addresses the interfaces have now", () => {
  const settings = { nodePortAddresses: ["192.168.0.0/16"] };
  deepEqual(answering(settings, nodeFacts(node()), [...OWN, "192.168.7.7"]).IPv4, ["192.168.1.5", "192.168.7.7"]);
  deepEqual(answering(settings, nodeFacts(node()), []).IPv4, []);
});

test("PRX-078, PRX-264: primary is the Node's own addresses, and all where none is known", () => {
  const settings = { nodePortAddresses: ["primary"] };
  deepEqual(answering(settings), { IPv4: ["10.0.0.5"], IPv6: ["fd00::5"] });
  deepEqual(answering(settings, nodeFacts(undefined)), { IPv4: "all", IPv6: "all" });
  const loopback = node({ status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }] } });
  deepEqual(answering(settings, nodeFacts(loopback)), { IPv4: "all", IPv6: "all" });
});

test("PRX-262: a family the machine does not carry answers nowhere", () => {
  deepEqual(answering({ families: ["IPv4"] }), { IPv4: "all", IPv6: [] });
});

test("PRX-068: the detector NodeCIDR takes the Node's podCIDRs", () => {
  const facts = nodeFacts(node({ spec: { podCIDRs: ["10.244.1.0/24", "fd00:244:1::/64"] } }));
  deepEqual(nodePlan({ ...SETTINGS, localDetector: "podCIDRs" }, facts, OWN).localDetector, {
    by: "ranges",
    ranges: ["10.244.1.0/24", "fd00:244:1::/64"],
  });
  deepEqual(nodeFacts(node({ spec: { podCIDR: "10.244.1.0/24" } })).podCIDRs, ["10.244.1.0/24"]);
});

test("addresses of the node are those of its interfaces, loopback left out", () => {
  deepEqual(nodePlan(SETTINGS, nodeFacts(undefined), OWN).nodeAddresses, ["10.0.0.5", "192.168.1.5", "fd00::5"]);
});
