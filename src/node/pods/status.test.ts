import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerState, Pod, PodCondition, PodStatus } from "../../api/generated/types.ts";
import { podStatus, type ContainerView, type StatusInputs } from "./status.ts";

const view = (state: ContainerState, more: Partial<ContainerView> = {}): ContainerView => ({
  state,
  ready: state.running !== undefined || state.terminated?.exitCode === 0,
  last: undefined,
  restartCount: 0,
  started: state.running !== undefined,
  containerID: undefined,
  ...more,
});
const running = view({ running: {} });
const unready = view({ running: {} }, { ready: false });
const unstarted = view({ running: {} }, { ready: false, started: false });
const ended = (exitCode: number): ContainerView => view({ terminated: { exitCode } }, { ready: exitCode === 0 });
const crashed = (exitCode: number): ContainerView =>
  view({ waiting: { reason: "CrashLoopBackOff" } }, { last: { exitCode }, ready: false });

const pod = (spec: object, status: object = {}, generation?: number): Pod =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", generation },
    spec: { containers: [{ name: "c", command: ["x"] }], ...spec },
    status,
  }) as never;
const statusOf = (of: Pod, views: Record<string, ContainerView>, more: Partial<StatusInputs> = {}): PodStatus =>
  podStatus({
    pod: of,
    containers: new Map(Object.entries(views)),
    podIPs: ["10.0.0.2"],
    hostIPs: ["10.0.0.1"],
    startTime: "t0",
    sandboxReady: true,
    sandboxTrouble: undefined,
    ending: "no",
    verdict: undefined,
    previous: [],
    now: "t1",
    ...more,
  });
const conditionOf = (status: PodStatus, type: string): PodCondition | undefined =>
  status.conditions?.find((each) => each.type === type);
const told = (status: PodStatus, type: string): (string | undefined)[] => {
  const condition = conditionOf(status, type);
  return [condition?.status, condition?.reason, condition?.message];
};
const sidecar = { name: "s", restartPolicy: "Always" };

void test("CTL-101, CTL-107: Ready needs all containers and all readiness gates, and says which is missing", () => {
  assert.deepEqual(told(statusOf(pod({}), { c: running }), "Ready"), ["True", undefined, undefined]);
  const message = "containers with unready status: [c]";
  assert.deepEqual(told(statusOf(pod({}), { c: unready }), "Ready"), ["False", "ContainersNotReady", message]);
  const gates = { readinessGates: [{ conditionType: "example.com/gate" }] };
  const closed = statusOf(pod(gates), { c: running });
  const missing = 'corresponding condition of pod readiness gate "example.com/gate" does not exist.';
  assert.deepEqual(told(closed, "Ready"), ["False", "ReadinessGatesNotReady", missing]);
  assert.deepEqual(told(closed, "ContainersReady"), ["True", undefined, undefined]);
  const condition = (status: string): Pod => pod(gates, { conditions: [{ type: "example.com/gate", status }] });
  assert.equal(
    conditionOf(statusOf(condition("False"), { c: running }), "Ready")?.message,
    'the status of pod readiness gate "example.com/gate" is not "True", but False',
  );
  assert.equal(conditionOf(statusOf(condition("True"), { c: running }), "Ready")?.status, "True");
});

void test("CTL-101: a sidecar counts in Ready, an init container does not", () => {
  const of = pod({ initContainers: [{ name: "i" }, sidecar] });
  assert.equal(conditionOf(statusOf(of, { i: ended(0), s: running, c: running }), "Ready")?.status, "True");
  assert.deepEqual(told(statusOf(of, { i: ended(0), s: unready, c: unready }), "Ready"), [
    "False",
    "ContainersNotReady",
    "containers with unready status: [s c]",
  ]);
});

void test("CTL-101: the conditions of a pod that is over say so", () => {
  const never = pod({ restartPolicy: "Never" }, {}, 3);
  for (const type of ["Ready", "ContainersReady"]) {
    assert.deepEqual(told(statusOf(never, { c: ended(0) }), type), ["False", "PodCompleted", undefined]);
    assert.deepEqual(told(statusOf(never, { c: ended(1) }), type), ["False", "PodFailed", undefined]);
  }
  assert.deepEqual(told(statusOf(never, { c: ended(0) }), "Initialized"), ["True", "PodCompleted", undefined]);
  const status = statusOf(never, { c: ended(0) });
  assert.equal(status.observedGeneration, 3);
  assert.ok(status.conditions?.every(({ observedGeneration }) => observedGeneration === 3));
});

void test("Initialized names what is not through, and stays True while a sidecar starts again", () => {
  const of = pod({ initContainers: [{ name: "i" }, sidecar] });
  const message = "containers with incomplete status: [i s]";
  assert.deepEqual(told(statusOf(of, { i: running }), "Initialized"), ["False", "ContainersNotInitialized", message]);
  assert.equal(conditionOf(statusOf(of, { i: ended(0), s: unstarted }), "Initialized")?.status, "False");
  assert.equal(conditionOf(statusOf(of, { i: ended(0), s: running }), "Initialized")?.status, "True");
  assert.equal(conditionOf(statusOf(of, { i: ended(0), s: crashed(1), c: running }), "Initialized")?.status, "True");
});

void test("a condition keeps its transition time while its status stays", () => {
  const previous = [
    { type: "Ready", status: "True", lastTransitionTime: "t0" },
    { type: "ContainersReady", status: "False", lastTransitionTime: "t0" },
  ];
  const status = statusOf(pod({}), { c: running }, { previous });
  assert.equal(conditionOf(status, "Ready")?.lastTransitionTime, "t0");
  assert.equal(conditionOf(status, "ContainersReady")?.lastTransitionTime, "t1");
});

void test("a pod without a network says why", () => {
  const sandboxTrouble = { reason: "FailedCreatePodSandBox", message: "all are taken" };
  const status = statusOf(pod({}), {}, { sandboxReady: false, sandboxTrouble });
  assert.deepEqual(told(status, "PodReadyToStartContainers"), ["False", "FailedCreatePodSandBox", "all are taken"]);
  assert.equal(status.phase, "Pending");
});

void test("phases: by containers and restart policy", () => {
  const phase = (spec: object, views: Record<string, ContainerView>, more: Partial<StatusInputs> = {}) =>
    statusOf(pod(spec), views, more).phase;
  assert.equal(phase({}, {}), "Pending");
  assert.equal(phase({}, { c: running }), "Running");
  assert.equal(phase({}, { c: ended(1) }), "Running");
  assert.equal(phase({}, { c: crashed(1) }), "Running");
  assert.equal(phase({ restartPolicy: "Never" }, { c: ended(0) }), "Succeeded");
  assert.equal(phase({ restartPolicy: "Never" }, { c: ended(1) }), "Failed");
  assert.equal(phase({ restartPolicy: "OnFailure" }, { c: ended(1) }), "Running");
  assert.equal(phase({ restartPolicy: "OnFailure" }, { c: ended(0) }), "Succeeded");
  const two = { containers: [{ name: "c" }, { name: "d" }], restartPolicy: "Never" };
  assert.equal(phase(two, { c: ended(1), d: running }), "Running");
  assert.equal(phase(two, { c: running }), "Pending");
  assert.equal(phase(two, { c: ended(1), d: ended(0) }), "Failed");
  const own = { containers: [{ name: "c", restartPolicy: "Never" }] };
  assert.equal(phase(own, { c: ended(0) }), "Succeeded");
});

void test("phases: init containers and sidecars", () => {
  const phase = (spec: object, views: Record<string, ContainerView>) => statusOf(pod(spec), views).phase;
  const init = { initContainers: [{ name: "i" }] };
  assert.equal(phase(init, { i: running }), "Pending");
  assert.equal(phase(init, { i: crashed(1) }), "Pending");
  assert.equal(phase({ ...init, restartPolicy: "Never" }, { i: ended(1) }), "Failed");
  const beside = { initContainers: [sidecar], restartPolicy: "Never" };
  assert.equal(phase(beside, { s: unstarted }), "Pending");
  assert.equal(phase(beside, { s: running, c: running }), "Running");
  assert.equal(phase(beside, { s: crashed(1), c: running }), "Running");
  // The main containers are through; until the sidecar has ended the pod is not said to be.
  assert.equal(phase(beside, { s: running, c: ended(0) }), "Running");
  assert.equal(phase(beside, { s: ended(137), c: ended(0) }), "Succeeded");
  assert.equal(
    phase({ initContainers: [sidecar, { name: "i" }], restartPolicy: "Never" }, { s: running, i: ended(1) }),
    "Pending",
  );
});

void test("CTL-114: a pod that was ended is over when nothing of it runs any more, and not before", () => {
  const at = (views: Record<string, ContainerView>, ending: StatusInputs["ending"]) =>
    statusOf(pod({}), views, { ending });
  assert.equal(at({ c: running }, "yes").phase, "Running");
  assert.equal(at({ c: ended(143) }, "yes").phase, "Failed");
  assert.equal(at({ c: ended(0) }, "over").phase, "Succeeded");
  assert.equal(at({}, "over").phase, "Failed");
  const lost = at({ c: running }, "over");
  assert.equal(lost.phase, "Failed");
  assert.equal(lost.containerStatuses?.[0]?.state?.terminated?.reason, "ContainerStatusUnknown");
});

void test("CTL-116: a phase that is over stays, whoever said it, and with it the reason", () => {
  const evicted = statusOf(pod({}, { phase: "Failed", reason: "Evicted", message: "low on memory" }), { c: running });
  assert.equal(evicted.phase, "Failed");
  assert.ok(!("reason" in evicted) && !("message" in evicted), "what is not written stays");
  assert.deepEqual(told(evicted, "Ready"), ["False", "PodFailed", undefined]);
});

void test("a pod past its deadline is not ready at once, and failed when nothing of it runs", () => {
  const verdict = { reason: "DeadlineExceeded", message: "too long" };
  const late = statusOf(pod({}), { c: running }, { verdict, ending: "yes" });
  assert.deepEqual([late.phase, late.reason], ["Running", undefined]);
  assert.deepEqual(told(late, "Ready"), ["False", "PodFailed", undefined]);
  const over = statusOf(pod({}), { c: ended(0) }, { verdict, ending: "yes" });
  assert.deepEqual([over.phase, over.reason, over.message], ["Failed", "DeadlineExceeded", "too long"]);
});

void test("what waits for the init containers says PodInitializing", () => {
  const of = pod({ initContainers: [{ name: "i" }] });
  const waits = (views: Record<string, ContainerView>): string | undefined =>
    statusOf(of, views).containerStatuses?.[0]?.state?.waiting?.reason;
  assert.equal(waits({ i: running }), "PodInitializing");
  assert.equal(waits({ i: ended(0) }), "ContainerCreating");
  assert.equal(statusOf(pod({}), {}).containerStatuses?.[0]?.state?.waiting?.reason, "ContainerCreating");
});
