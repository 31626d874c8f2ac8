import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Pod, PodSpec } from "../../api/generated/types.ts";
import { pods } from "../../api/resources.ts";
import { fakeNode, type FakeNode, type FakeNodeOptions } from "../../../test/node/fake-node.ts";
import { StartError } from "../runtimes/start-error.ts";

async function scene(t: TestContext, options: FakeNodeOptions = {}): Promise<FakeNode> {
  const node = await fakeNode(options);
  t.after(() => node.end());
  return node;
}
const remove = (node: FakeNode, gracePeriodSeconds: number): Promise<void> =>
  node.client.delete(pods, { namespace: "default", name: "p" }, { gracePeriodSeconds });
const condition = (pod: Pod | undefined, type: string): string | undefined =>
  pod?.status?.conditions?.find((each) => each.type === type)?.status;
const statusOf = (pod: Pod | undefined, name: string) =>
  [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find(
    (each) => each.name === name,
  );
const SIDECARS: Partial<PodSpec> = {
  restartPolicy: "Never",
  initContainers: [
    { name: "one" },
    { name: "a", restartPolicy: "Always", startupProbe: { exec: { command: ["x"] } } },
    { name: "two" },
    { name: "b", restartPolicy: "Always" },
  ],
};

void test("init containers end in order, a sidecar is awaited until it has started, then the main containers begin", async (t) => {
  let isUp = false;
  const node = await scene(t, { judge: (_, __, kind) => ({ ok: kind !== "startup" || isUp, message: "" }) });
  node.begin("p", SIDECARS);
  await node.pass(5_000);
  assert.deepEqual(node.log, ["start one"]);
  await node.exit("one", 0);
  assert.deepEqual(node.log, ["start one", "start a"]);
  assert.equal(node.pod("p")?.status?.phase, "Pending");
  assert.equal(statusOf(node.pod("p"), "a")?.started, false);
  isUp = true;
  node.client.put(pods, { ...node.pod("p")! });
  await node.settle();
  assert.deepEqual(node.log.slice(2), ["start two"]);
  await node.exit("two", 0);
  assert.deepEqual(node.log.slice(3), ["start b", "start main"]);
  assert.equal(condition(node.pod("p"), "Initialized"), "True");
  assert.equal(condition(node.pod("p"), "Ready"), "True");
});

void test("sidecars are restarted whatever the policy, and ended in reverse order when the main containers are through", async (t) => {
  const node = await scene(t);
  node.begin("p", SIDECARS);
  await node.settle();
  await node.exit("one", 0);
  await node.exit("two", 0);
  await node.exit("b", 0);
  assert.equal(statusOf(node.pod("p"), "b")?.restartCount, 1);
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  const before = node.log.length;
  await node.exit("main", 0);
  assert.deepEqual(node.log.slice(before), ["SIGTERM b", "SIGTERM a"]);
  assert.equal(node.pod("p")?.status?.phase, "Succeeded", "they do not count in completion");
});

void test("CTL-112: main containers are ended before sidecars, which share what is left of the grace", async (t) => {
  const node = await scene(t, {
    onSignal: (name, signal) => (signal === "SIGKILL" ? 137 : name === "main" ? undefined : 143),
  });
  node.begin("p", SIDECARS);
  await node.settle();
  await node.exit("one", 0);
  await node.exit("two", 0);
  const before = node.log.length;
  await remove(node, 10);
  // The API's deletionTimestamp is by the machine's clock; the node's begins in 2026 and stands still.
  await node.pass(Date.parse(node.pod("p")!.metadata.deletionTimestamp!) - Date.parse("2026-01-01T00:00:00Z") - 20);
  assert.deepEqual(node.log.slice(before), ["SIGTERM main"]);
  await node.pass(3_000);
  // At its end all that is left goes at once.
  assert.deepEqual(node.log.slice(before).toSorted(), ["SIGKILL main", "SIGTERM a", "SIGTERM b", "SIGTERM main"]);
  assert.equal(node.pod("p"), undefined);
});

void test("an init container that fails starts again with a back-off, and fails a pod that never restarts", async (t) => {
  const node = await scene(t);
  node.begin("p", { initContainers: [{ name: "one" }] });
  await node.settle();
  await node.exit("one", 1);
  await node.exit("one", 1);
  const waiting = statusOf(node.pod("p"), "one")?.state?.waiting;
  assert.equal(waiting?.reason, "CrashLoopBackOff");
  assert.equal(waiting?.message, "back-off 10s restarting failed container=one pod=p_default(00000000-p)");
  assert.equal(node.pod("p")?.status?.phase, "Pending");
  await node.pass(10_000);
  await node.exit("one", 0);
  assert.deepEqual(node.log, ["start one", "start one", "start one", "start main"]);
  node.begin("q", { initContainers: [{ name: "only" }], restartPolicy: "Never" });
  await node.settle();
  await node.exit("only", 7);
  assert.equal(node.pod("q")?.status?.phase, "Failed");
  assert.equal(node.running("only"), undefined);
});

void test("a crashing container waits 10 s, 20 s … between its starts, and says so; a long run makes it forget", async (t) => {
  const node = await scene(t);
  node.begin("p", {});
  await node.settle();
  await node.exit("main", 3);
  assert.equal(node.log.length, 2, "the first restart comes at once");
  await node.exit("main", 3);
  await node.pass(9_900);
  assert.equal(node.log.length, 2);
  const status = statusOf(node.pod("p"), "main");
  assert.equal(status?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.deepEqual([status?.lastState?.terminated?.exitCode, status?.restartCount], [3, 1]);
  await node.pass(200);
  assert.equal(node.log.length, 3);
  await node.exit("main", 3);
  await node.pass(19_900);
  assert.equal(node.log.length, 3);
  await node.pass(200);
  assert.equal(node.log.length, 4);
  assert.equal(node.events.filter((event) => event.startsWith("BackOff ")).length, 2);
  await node.pass(600_000);
  await node.exit("main", 3);
  assert.equal(node.log.length, 5, "after ten minutes it begins from the start");
});

void test("CTL-108: restarts of all containers flip Ready to False and back; the address stays", async (t) => {
  const node = await scene(t);
  node.begin("p", { containers: [{ name: "x" }, { name: "y" }] });
  await node.settle();
  const address = node.pod("p")?.status?.podIP;
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  for (const name of ["x", "y"]) {
    await node.exit(name, 1);
    await node.exit(name, 1);
  }
  assert.equal(condition(node.pod("p"), "Ready"), "False");
  assert.equal(node.pod("p")?.status?.podIP, address);
  await node.pass(10_000);
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  assert.equal(node.pod("p")?.status?.podIP, address);
});

void test("what the runtime says of an end is told: OOMKilled, a signal, a program that is not there", async (t) => {
  const node = await scene(t, {
    onStart(name) {
      if (name === "missing") throw new StartError('starting "serve": executable file not found in $PATH: /bin');
    },
  });
  node.begin("p", { restartPolicy: "Never" });
  await node.settle();
  await node.exit("main", 137, "OOMKilled");
  const { reason, signal, exitCode } = statusOf(node.pod("p"), "main")?.state?.terminated ?? {};
  assert.deepEqual([reason, signal, exitCode], ["OOMKilled", 9, 137]);
  node.begin("q", { restartPolicy: "Never", containers: [{ name: "missing" }] });
  await node.settle();
  const ended = statusOf(node.pod("q"), "missing")?.state?.terminated;
  assert.deepEqual([ended?.reason, ended?.exitCode], ["StartError", 128]);
  assert.match(ended?.message ?? "", /"serve": executable file not found in \$PATH/);
  assert.equal(node.pod("q")?.status?.phase, "Failed");
  node.begin("r", { containers: [{ name: "missing" }] });
  await node.settle();
  const again = statusOf(node.pod("r"), "missing");
  assert.deepEqual(
    [again?.state?.waiting?.reason, again?.lastState?.terminated?.reason, again?.restartCount],
    ["CrashLoopBackOff", "StartError", 1],
  );
});

void test("a pod past activeDeadlineSeconds is ended and has failed with DeadlineExceeded", async (t) => {
  const node = await scene(t);
  node.begin("p", { activeDeadlineSeconds: 60 });
  await node.pass(59_000);
  assert.equal(node.pod("p")?.status?.phase, "Running");
  await node.pass(2_000);
  assert.deepEqual(node.log, ["start main", "SIGTERM main"]);
  const { phase, reason, message } = node.pod("p")?.status ?? {};
  assert.deepEqual([phase, reason], ["Failed", "DeadlineExceeded"]);
  assert.match(message ?? "", /longer than the specified deadline/);
  assert.ok(node.events.some((event) => event.startsWith("DeadlineExceeded ")));
});

void test("CTL-116: a pod that was evicted is ended; its phase and reason stay, and it is not ready", async (t) => {
  const node = await scene(t);
  node.begin("p", {});
  await node.settle();
  const pod = node.pod("p")!;
  node.client.put(pods, { ...pod, status: { ...pod.status, phase: "Failed", reason: "Evicted" } });
  await node.settle();
  assert.deepEqual(node.log, ["start main", "SIGTERM main"]);
  assert.deepEqual([node.pod("p")?.status?.phase, node.pod("p")?.status?.reason], ["Failed", "Evicted"]);
  assert.equal(condition(node.pod("p"), "Ready"), "False");
});

void test("SIGTERM waits until the proxies know of it, for a pod that was ready, and no longer than the grace", async (t) => {
  const know = Promise.withResolvers<void>();
  const asked: string[] = [];
  const node = await scene(t, {
    proxiesKnow(pod, signal) {
      asked.push(`${pod.metadata.name} ${pod.metadata.deletionTimestamp !== undefined} ${signal.aborted}`);
      return know.promise;
    },
  });
  node.begin("p", {});
  await node.settle();
  await remove(node, 30);
  await node.settle();
  assert.deepEqual(asked, ["p true false"]);
  assert.deepEqual(node.log, ["start main"]);
  know.resolve();
  await node.settle();
  assert.deepEqual(node.log, ["start main", "SIGTERM main"]);
  assert.equal(node.pod("p"), undefined);
});

void test("SIGTERM does not wait for the proxies where the pod was not ready", async (t) => {
  let asked = 0;
  const node = await scene(t, {
    judge: () => ({ ok: false, message: "no" }),
    proxiesKnow: () => Promise.resolve(void (asked += 1)),
  });
  node.begin("p", { containers: [{ name: "main", readinessProbe: { tcpSocket: { port: 1 } } }] });
  await node.settle();
  await remove(node, 30);
  await node.settle();
  assert.equal(asked, 0);
  assert.equal(node.pod("p"), undefined);
});

void test("CTL-107: a condition that somebody patches opens the readiness gate", async (t) => {
  const node = await scene(t);
  node.begin("p", { readinessGates: [{ conditionType: "example.com/gate" }] });
  await node.settle();
  assert.equal(condition(node.pod("p"), "Ready"), "False");
  const patch = { status: { conditions: [{ type: "example.com/gate", status: "True" }] } };
  await node.client.patch(pods, { namespace: "default", name: "p" }, "strategic", patch, { subresource: "status" });
  await node.settle();
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  assert.equal(condition(node.pod("p"), "example.com/gate"), "True");
});

void test("conditions of others stay, and those of ours that others wrote over are told again", async (t) => {
  const node = await scene(t);
  node.begin("p", {});
  await node.settle();
  const patch = {
    status: {
      conditions: [
        { type: "Ready", status: "False", reason: "NodeNotReady" },
        { type: "DisruptionTarget", status: "True" },
      ],
    },
  };
  await node.client.patch(pods, { namespace: "default", name: "p" }, "strategic", patch, { subresource: "status" });
  await node.settle();
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  assert.equal(condition(node.pod("p"), "DisruptionTarget"), "True");
});

void test("where the runtime judges, readiness follows the pod's object, and no timer is kept", async (t) => {
  const node = await scene(t, {
    judge: (pod, _, kind) => ({
      ok: kind !== "readiness" || pod.metadata.annotations?.["ready"] !== "no",
      message: "",
    }),
  });
  const probe = { tcpSocket: { port: 80 } };
  node.begin("p", {
    containers: [{ name: "main", livenessProbe: probe, readinessProbe: { ...probe, initialDelaySeconds: 5 } }],
  });
  await node.settle();
  assert.equal(condition(node.pod("p"), "Ready"), "False", "not before its initial delay");
  await node.pass(5_000);
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  assert.equal(node.timers(), 0);
  for (const [word, ready] of [
    ["no", "False"],
    ["yes", "True"],
  ] as const) {
    const pod = node.pod("p")!;
    node.client.put(pods, { ...pod, metadata: { ...pod.metadata, annotations: { ready: word } } });
    await node.settle();
    assert.equal(condition(node.pod("p"), "Ready"), ready);
    assert.equal(node.timers(), 0);
  }
});

void test("a pod deleted while nobody looked is ended in order when it is found again", async (t) => {
  const node = await scene(t);
  const first = node.begin("p", {});
  await node.settle();
  await first.leave();
  await remove(node, 30);
  const pod = node.pod("p")!;
  node.begin("p", pod.spec!, pod.metadata);
  await node.settle();
  assert.deepEqual(node.log, ["start main", "SIGTERM main"]);
  assert.equal(node.pod("p"), undefined);
  assert.equal(node.last.get("p")?.status?.phase, "Failed");
});

void test("a pod for which there is no address says so, is tried again, and begins when there is one", async (t) => {
  let isFull = true;
  const node = await scene(t, {
    onPlan() {
      if (isFull) throw new Error("giving a pod an address: all of 10.0.0.0/29 are taken (5 pods)");
    },
  });
  node.begin("p", {});
  await node.pass(4_000);
  const message = "Failed to create pod sandbox: giving a pod an address: all of 10.0.0.0/29 are taken (5 pods)";
  assert.deepEqual(node.events, [`FailedCreatePodSandBox ${message}`]);
  const pod = node.pod("p");
  assert.equal(pod?.status?.phase, "Pending");
  assert.deepEqual(statusOf(pod, "main")?.state?.waiting, { reason: "ContainerCreating", message });
  const sandbox = pod?.status?.conditions?.find(({ type }) => type === "PodReadyToStartContainers");
  assert.deepEqual([sandbox?.status, sandbox?.reason, sandbox?.message], ["False", "FailedCreatePodSandBox", message]);
  isFull = false;
  await node.pass(10_000);
  assert.equal(condition(node.pod("p"), "Ready"), "True");
  assert.equal(condition(node.pod("p"), "PodReadyToStartContainers"), "True");
});
