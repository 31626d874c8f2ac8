import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, ResourceRequirements } from "../../../api/generated/types.ts";
import { limitSettings, outOfMemoryScore } from "./limit-settings.ts";

const written = (resources: ResourceRequirements, version: "v1" | "v2"): Record<string, string> =>
  Object.fromEntries(limitSettings({ name: "c", resources }).flatMap((setting) => setting[version]));

test("limits in the words of both versions of cgroups", () => {
  const resources = { limits: { cpu: "1500m", memory: "64Mi" }, requests: { cpu: "500m" } };
  assert.deepEqual(written(resources, "v1"), {
    "memory.limit_in_bytes": "67108864",
    "memory.memsw.limit_in_bytes": "67108864",
    "cpu.shares": "512",
    "cpu.cfs_period_us": "100000",
    "cpu.cfs_quota_us": "150000",
    "pids.max": "1024",
  });
  assert.deepEqual(written(resources, "v2"), {
    "memory.max": "67108864",
    "memory.swap.max": "0",
    "cpu.weight": "20",
    "cpu.max": "150000 100000",
    "pids.max": "1024",
  });
});

test("without limits there is one of processes alone, and a small share of processors", () => {
  assert.deepEqual(written({}, "v1"), { "cpu.shares": "2", "pids.max": "1024" });
  assert.deepEqual(written({}, "v2"), { "cpu.weight": "1", "pids.max": "1024" });
  assert.equal(written({ limits: { cpu: "1m" } }, "v2")["cpu.max"], "1000 100000");
});

test("who asked for little is taken first when the machine's memory is used up", () => {
  const score = (resources: ResourceRequirements): number => {
    const container: Container = { name: "c", resources };
    return outOfMemoryScore({ spec: { containers: [container] } } as Pod, container, "4Gi");
  };
  assert.equal(score({}), 1000);
  assert.equal(score({ requests: { memory: "1Gi" } }), 750);
  assert.equal(score({ requests: { cpu: "1" } }), 999);
  assert.equal(score({ requests: { memory: "8Gi" } }), 3);
  const all = { cpu: "1", memory: "1Gi" };
  assert.equal(score({ limits: all, requests: all }), 3);
});
