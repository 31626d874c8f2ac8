import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolumeClaim, Pod, PodSpec, ResourceQuotaSpec } from "../../generated/types.ts";
import { quantityText } from "../../meta/quantity.ts";
import { deployments, persistentVolumeClaims, pods, replicationControllers } from "../../resources.ts";
import { missingCompute } from "./compute.ts";
import { isOtherUsage, totalUsage, usageChange } from "./usage.ts";

const container = (name: string, requests: Record<string, string> = {}, limits: Record<string, string> = {}) => ({
  name,
  resources: { requests, limits },
});
const podOf = (more: Partial<PodSpec>, phase = "Running"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default" },
  spec: { containers: [container("c")], ...more },
  status: { phase },
});
const hard = (...names: string[]): ResourceQuotaSpec => ({
  hard: Object.fromEntries(names.map((name) => [name, "9"])),
});
const texts = (usage: ReadonlyMap<string, { nano: bigint; format: "decimal" | "binary" | "exponent" }>): object =>
  Object.fromEntries([...usage].map(([name, amount]) => [name, quantityText(amount)]));
const used = (spec: ResourceQuotaSpec, ...objects: Pod[]): object => texts(totalUsage(spec, pods, objects));

void test("the overhead of a pod counts; to limits it is added where there is one", () => {
  const pod = podOf({
    containers: [container("c", { cpu: "1", memory: "1Mi" }, { cpu: "2" })],
    overhead: { cpu: "100m", memory: "1Mi" },
  });
  assert.deepEqual(used(hard("cpu", "limits.cpu", "memory", "limits.memory"), pod), {
    cpu: "1100m",
    "limits.cpu": "2100m",
    memory: "2Mi",
    "limits.memory": "0",
  });
});

void test("what is said for the pod as a whole counts instead of what its containers say", () => {
  const pod = podOf({
    containers: [container("c", { cpu: "1", "ephemeral-storage": "1Gi" })],
    resources: { requests: { cpu: "3", "ephemeral-storage": "9Gi" } },
  });
  assert.deepEqual(used(hard("cpu", "requests.ephemeral-storage"), pod), {
    cpu: "3",
    "requests.ephemeral-storage": "1Gi",
  });
  assert.equal(missingCompute(pod, ["memory"]), undefined);
});

void test("huge pages count under both of their names, devices under requests alone", () => {
  const pod = podOf({ containers: [container("c", { "hugepages-2Mi": "4Mi", "example.com/gpu": "2" })] });
  assert.deepEqual(
    used(hard("hugepages-2Mi", "requests.hugepages-2Mi", "requests.example.com/gpu", "example.com/gpu"), pod),
    { "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi", "requests.example.com/gpu": "2" },
  );
});

void test("a pod that has ended counts as an object alone", () => {
  const ended = podOf({ containers: [container("c", { cpu: "1" })] }, "Failed");
  assert.deepEqual(used(hard("pods", "count/pods", "cpu"), ended, podOf({})), {
    pods: "1",
    "count/pods": "2",
    cpu: "0",
  });
  const change = usageChange(
    hard("pods", "count/pods"),
    pods,
    { ...ended, status: { phase: "Running" } } as Pod,
    ended,
  );
  assert.deepEqual(texts(change), { pods: "-1" });
});

const elsewhere = { topologyKey: "k", namespaceSelector: {} };
const selected: [
  scopeName: string,
  operator: string,
  values: string[] | undefined,
  pod: Partial<PodSpec>,
  isIn: boolean,
][] = [
  ["PriorityClass", "In", ["high", "low"], { priorityClassName: "low" }, true],
  ["PriorityClass", "In", ["high"], { priorityClassName: "low" }, false],
  ["PriorityClass", "In", ["high"], {}, false],
  ["PriorityClass", "NotIn", ["high"], { priorityClassName: "low" }, true],
  ["PriorityClass", "NotIn", ["high"], { priorityClassName: "high" }, false],
  ["PriorityClass", "NotIn", ["high"], {}, true],
  ["PriorityClass", "Exists", undefined, { priorityClassName: "low" }, true],
  ["PriorityClass", "Exists", undefined, {}, false],
  ["PriorityClass", "DoesNotExist", undefined, { priorityClassName: "low" }, false],
  ["PriorityClass", "DoesNotExist", undefined, {}, true],
  ["CrossNamespacePodAffinity", "Exists", undefined, { affinity: { podAffinity: {} } }, false],
  [
    "CrossNamespacePodAffinity",
    "Exists",
    undefined,
    {
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: elsewhere }],
        },
      },
    },
    true,
  ],
  ["VolumeAttributesClass", "Exists", undefined, {}, false],
];
for (const [scopeName, operator, values, more, isIn] of selected) {
  void test(`${scopeName} ${operator} ${values?.join() ?? ""}: ${JSON.stringify(more)} is ${isIn ? "in" : "out"}`, () => {
    const matchExpressions = [{ scopeName, operator, ...(values && { values }) }];
    assert.deepEqual(used({ ...hard("pods"), scopeSelector: { matchExpressions } }, podOf(more)), {
      pods: isIn ? "1" : "0",
    });
  });
}

void test("a pod that leaves a scope, or comes into it, is given back, or taken", () => {
  const spec = { ...hard("pods"), scopes: ["Terminating"] };
  const [long, short] = [podOf({}), podOf({ activeDeadlineSeconds: 5 })];
  assert.deepEqual(texts(usageChange(spec, pods, long, short)), { pods: "1" });
  assert.deepEqual(texts(usageChange(spec, pods, short, long)), { pods: "-1" });
  assert.deepEqual(texts(usageChange(spec, pods, short, undefined)), { pods: "-1" });
  assert.deepEqual(texts(usageChange(spec, pods, long, undefined)), {});
});

const claimOf = (storage: string, more: object = {}, status: object = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "c", namespace: "default" },
  spec: { resources: { requests: { storage } }, ...more },
  status,
});
const GOLD = "gold.storageclass.storage.k8s.io";

void test("a claim counts itself and its size, in all and within its class", () => {
  const spec = hard(
    "persistentvolumeclaims",
    "count/persistentvolumeclaims",
    "requests.storage",
    `${GOLD}/requests.storage`,
    `${GOLD}/persistentvolumeclaims`,
  );
  const claims = [claimOf("1Gi"), claimOf("2Gi", { storageClassName: "gold" }), claimOf("1500m")];
  assert.deepEqual(texts(totalUsage(spec, persistentVolumeClaims, claims)), {
    persistentvolumeclaims: "3",
    "count/persistentvolumeclaims": "3",
    "requests.storage": "3221225474",
    [`${GOLD}/requests.storage`]: "2Gi",
    [`${GOLD}/persistentvolumeclaims`]: "1",
  });
});

void test("a claim that grows takes more, and what has been given counts while that is more than what is asked for", () => {
  const change = usageChange(hard("requests.storage"), persistentVolumeClaims, claimOf("1Gi"), claimOf("3Gi"));
  assert.deepEqual(texts(change), { "requests.storage": "2Gi" });
  const given = claimOf("1Gi", {}, { allocatedResources: { storage: "2Gi" } });
  assert.deepEqual(texts(totalUsage(hard("requests.storage"), persistentVolumeClaims, [given])), {
    "requests.storage": "2Gi",
  });
  assert.ok(isOtherUsage(persistentVolumeClaims, claimOf("1Gi"), given));
  assert.ok(isOtherUsage(persistentVolumeClaims, claimOf("1Gi"), claimOf("1Gi", { storageClassName: "gold" })));
  assert.ok(!isOtherUsage(persistentVolumeClaims, claimOf("1Gi"), claimOf("1024Mi", { volumeName: "v" })));
});

void test("a quota of a class of attributes is about the claims that name it", () => {
  const scoped = (operator: string, values?: string[]): ResourceQuotaSpec => ({
    ...hard("persistentvolumeclaims"),
    scopeSelector: { matchExpressions: [{ scopeName: "VolumeAttributesClass", operator, ...(values && { values }) }] },
  });
  const fast = claimOf("1", { volumeAttributesClassName: "fast" }, { currentVolumeAttributesClassName: "slow" });
  const count = (spec: ResourceQuotaSpec): unknown =>
    Object.values(texts(totalUsage(spec, persistentVolumeClaims, [fast, claimOf("1")])))[0];
  assert.equal(count(scoped("Exists")), "1");
  assert.equal(count(scoped("In", ["slow"])), "1");
  assert.equal(count(scoped("In", ["other"])), "0");
  assert.equal(count(scoped("DoesNotExist")), "1");
  assert.equal(count({ ...hard("persistentvolumeclaims"), scopes: ["BestEffort"] }), "0");
});

void test("workloads count as objects, and ReplicationControllers under their old name too", () => {
  const object = { apiVersion: "v1", kind: "X", metadata: { name: "x" } };
  const names = hard("replicationcontrollers", "count/replicationcontrollers", "count/deployments.apps");
  assert.deepEqual(texts(totalUsage(names, replicationControllers, [object])), {
    replicationcontrollers: "1",
    "count/replicationcontrollers": "1",
  });
  assert.deepEqual(texts(totalUsage(names, deployments, [object, object])), { "count/deployments.apps": "2" });
});
