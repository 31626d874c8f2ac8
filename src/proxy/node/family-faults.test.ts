import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { familyFaults } from "./family-faults.ts";

const GIVEN = {
  primary: "IPv4",
  families: ["IPv4", "IPv6"],
  detectLocalMode: "ClusterCIDR",
  clusterCIDRs: ["10.244.0.0/16"],
  podCIDRs: ["10.244.1.0/24"],
} as const;
const fatalOf = (more: Partial<Parameters<typeof familyFaults>[0]>): boolean[] =>
  familyFaults({ ...GIVEN, ...more }).map(({ fatal }) => fatal);

test("PRX-261: ranges wholly of the other family are a fault; fatal by the detector, or where there is no other family", () => {
  const clusterCIDRs = ["fd00::/64"];
  const podCIDRs = ["fd00:1::/64"];
  deepEqual(fatalOf({}), []);
  deepEqual(fatalOf({ clusterCIDRs: ["fd00::/64", "10.0.0.0/8"] }), []);
  deepEqual(fatalOf({ clusterCIDRs }), [false]);
  deepEqual(fatalOf({ clusterCIDRs, families: ["IPv4"] }), [true]);
  deepEqual(fatalOf({ clusterCIDRs, families: ["IPv4"], detectLocalMode: "NodeCIDR" }), [false]);
  deepEqual(fatalOf({ podCIDRs }), [false]);
  deepEqual(fatalOf({ podCIDRs, detectLocalMode: "NodeCIDR" }), [true]);
});

test("PRX-261: without the primary family nothing can be done", () => {
  deepEqual(fatalOf({ primary: "IPv6", families: ["IPv4"], clusterCIDRs: [], podCIDRs: [] }), [true]);
});
