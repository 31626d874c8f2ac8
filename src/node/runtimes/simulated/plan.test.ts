import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, ObjectMeta, Pod, PodSpec } from "../../../api/generated/types.ts";
import { planContainer, simulatedRefusal, type ContainerPlan } from "./plan.ts";

const main: Container = { name: "main", image: "none", ports: [{ containerPort: 80 }] };
const podOf = (metadata: Partial<ObjectMeta> = {}, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", ...metadata },
  spec: { containers: [main], ...spec },
});
const plan = (pod: Pod, container: Container, taken: Record<string, string> = {}): ContainerPlan =>
  planContainer(pod, container, ({ port, protocol }) => taken[`${port}/${protocol}`]);
const job = { ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "u", controller: true }] };

test("declared ports answer, each once; SCTP is not answered, and that is said", () => {
  const ports = [
    { containerPort: 80 },
    { containerPort: 80, name: "again" },
    { containerPort: 80, protocol: "UDP" },
    { containerPort: 7, protocol: "SCTP" },
  ];
  const { ports: answered, says, runsFor } = plan(podOf(), { ...main, ports });
  assert.deepEqual(answered, [
    { port: 80, protocol: "TCP" },
    { port: 80, protocol: "UDP" },
  ]);
  assert.equal(runsFor, undefined);
  assert.deepEqual(says, [
    "simulated: no program runs; ports that answer: 80/TCP, 80/UDP",
    "simulated: port 7/SCTP is not answered: only TCP and UDP are",
  ]);
});

test("a port of another container of the pod ends it with exit code 1, as a program that cannot listen", () => {
  const { ports, runsFor, exitCode, says } = plan(podOf(), main, { "80/TCP": "first" });
  assert.deepEqual({ ports, runsFor, exitCode }, { ports: [], runsFor: 0, exitCode: 1 });
  assert.deepEqual(says, ["simulated: port 80/TCP is in use already, by container first of this pod"]);
  assert.equal(plan(podOf(), main, { "80/UDP": "first" }).runsFor, undefined);
});

test("init containers are done at once, sidecars go on", () => {
  const init: Container = { ...main, name: "init" };
  assert.equal(plan(podOf({}, { initContainers: [init] }), init).runsFor, 0);
  const sidecar: Container = { ...init, restartPolicy: "Always" };
  assert.equal(plan(podOf({}, { initContainers: [sidecar] }), sidecar).runsFor, undefined);
});

test("a Job's pods end after a moment, or after the seconds of their annotation", () => {
  const never = { restartPolicy: "Never" } as const;
  assert.equal(plan(podOf(job, never), main).runsFor, 1);
  assert.equal(plan(podOf(job), main).runsFor, undefined, "a pod that is always started again is no Job's");
  const annotations = { "fairlead.dev/run-seconds": "2.5" };
  assert.equal(plan(podOf({ ...job, annotations }, never), main).runsFor, 2.5);
  assert.equal(plan(podOf({ annotations }), main).runsFor, 2.5);
  assert.equal(plan(podOf({}, never), main).runsFor, undefined);
});

test("hostNetwork and seconds that are no number are refused by name; nothing else is", () => {
  assert.match(simulatedRefusal(podOf({}, { hostNetwork: true }))?.message ?? "", /^spec\.hostNetwork: /);
  const annotations = { "fairlead.dev/run-seconds": "soon" };
  assert.match(
    simulatedRefusal(podOf({ annotations }))?.message ?? "",
    /^metadata\.annotations\[fairlead\.dev\/run-seconds\]: "soon" is not a number of seconds/,
  );
  const privileged = { ...main, securityContext: { privileged: true, runAsUser: 0 } };
  assert.equal(simulatedRefusal(podOf({}, { hostPID: true, containers: [privileged] })), undefined);
});
