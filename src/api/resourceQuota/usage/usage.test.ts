import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec, ResourceQuotaSpec } from "../../generated/types.ts";
import { quantityText } from "../../meta/quantity.ts";
import { pods } from "../../resources.ts";
import { missingCompute } from "./compute.ts";
import { totalUsage, usageChange } from "./usage.ts";

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
