import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerState, Pod } from "../api/generated/types.ts";
import { addressPool } from "./addresses/pool.ts";
import { restartDelay, restarts } from "./pods/back-off.ts";
import { podStatus, type ContainerView } from "./pods/status.ts";
import { tally } from "./probes/tally.ts";
import { splitEnvironment } from "./runtimes/process/confinement.ts";
import { processRefusal } from "./runtimes/process/refusal.ts";
import { readReport } from "./runtimes/process/status-file.ts";
import { nodeLines, podLines, sandboxOf } from "./sandbox/own-lines.ts";
import { plainPath } from "./volumes/plain-path.ts";

void test("addresses: one of each range, never the network's, the gateway's or the broadcast", () => {
  const pool = addressPool(["10.0.0.0/29", "fd00::/125"], ["10.0.0.1", "fd00::1"]);
  const given = Array.from({ length: 5 }, () => pool.take());
  assert.deepEqual(
    given.map(([four]) => four),
    ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
  );
  assert.equal(given[0]?.[1], "fd00::2");
  assert.throws(() => pool.take(), /all of 10\.0\.0\.0\/29 are taken/);
  pool.release(given[2]!);
  assert.deepEqual(pool.take()[0], "10.0.0.4");
});

void test("addresses: those of adopted pods are not given again, and one just released waits its turn", () => {
  const pool = addressPool(["10.0.0.0/28"], []);
  pool.hold(["10.0.0.1", "10.0.0.2", "192.0.2.1"]);
  assert.deepEqual(pool.take(), ["10.0.0.3"]);
  pool.release(["10.0.0.3"]);
  assert.deepEqual(pool.take(), ["10.0.0.4"]);
});

void test("sandbox: names from the uid, routes and neighbours for both families", () => {
  const sandbox = sandboxOf("0123abcd-0000", ["10.0.0.2", "fd00::2"]);
  assert.equal(sandbox.namespace, "fl-0123abcd");
  assert.ok(sandbox.link.length <= 15);
  assert.deepEqual(nodeLines(sandbox), [
    "netns add fl-0123abcd",
    "link add fl0123abcd address 02:02:01:23:ab:cd type veth peer name eth0 address 02:01:01:23:ab:cd netns fl-0123abcd",
    "link set fl0123abcd addrgenmode none",
    "link set fl0123abcd up",
    "neigh replace 10.0.0.2 lladdr 02:01:01:23:ab:cd dev fl0123abcd nud permanent",
    "route replace 10.0.0.2/32 dev fl0123abcd",
    "neigh replace fd00::2 lladdr 02:01:01:23:ab:cd dev fl0123abcd nud permanent",
    "route replace fd00::2/128 dev fl0123abcd",
  ]);
  assert.deepEqual(podLines(sandbox, ["10.0.0.1"]).slice(3), [
    "addr add 10.0.0.2/32 dev eth0",
    "neigh replace 10.0.0.1 lladdr 02:02:01:23:ab:cd dev eth0 nud permanent",
    "route add 10.0.0.1/32 dev eth0 scope link",
    "route add default via 10.0.0.1 dev eth0",
    "addr add fd00::2/128 dev eth0 nodad",
  ]);
  assert.throws(() => sandboxOf("; rm -rf", []), /does not begin with 8 hexadecimal digits/);
});

void test("CTL-103: a verdict turns after as many results in a row as the thresholds say", () => {
  const probe = { successThreshold: 2, failureThreshold: 3 };
  const verdicts = (results: boolean[]): boolean[] => {
    let state = { verdict: false, against: 0 };
    return results.map((ok) => (state = tally(state, ok, probe)).verdict);
  };
  assert.deepEqual(verdicts([true, false, true, true]), [false, false, false, true]);
  assert.deepEqual(verdicts([true, true, false, false, true, false, false, false]), [
    false,
    true,
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});

void test("restarts: at once, then 10 s doubling to 5 minutes; by policy", () => {
  assert.deepEqual([1, 2, 3, 4, 7, 99].map(restartDelay), [0, 10_000, 20_000, 40_000, 300_000, 300_000]);
  assert.deepEqual(
    [restarts(undefined, 0), restarts("OnFailure", 0), restarts("OnFailure", 1), restarts("Never", 1)],
    [true, false, true, false],
  );
});

const view = (state: ContainerState, ready = false): ContainerView => ({
  state,
  ready,
  last: undefined,
  restartCount: 0,
  started: ready,
  containerID: undefined,
});
const pod = (spec: object, status: object = {}): Pod =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns" },
    spec: { containers: [{ name: "c", command: ["x"] }], ...spec },
    status,
  }) as never;
const statusOf = (of: Pod, views: Record<string, ContainerView>, previous: object[] = [], ending = false) =>
  podStatus({
    pod: of,
    containers: new Map(Object.entries(views)),
    podIPs: ["10.0.0.2"],
    hostIPs: ["10.0.0.1"],
    startTime: "t0",
    sandboxReady: true,
    ending,
    previous: previous as never,
    now: "t1",
  });
const conditionOf = (status: ReturnType<typeof podStatus>, type: string) =>
  status.conditions?.find((each) => each.type === type);

void test("CTL-101, CTL-107: Ready needs all containers and all readiness gates, and says which is missing", () => {
  const running = view({ running: {} }, true);
  assert.equal(conditionOf(statusOf(pod({}), { c: running }), "Ready")?.status, "True");
  const unready = conditionOf(statusOf(pod({}), { c: view({ running: {} }) }), "Ready");
  assert.deepEqual([unready?.status, unready?.reason], ["False", "ContainersNotReady"]);
  const gates = { readinessGates: [{ conditionType: "example.com/gate" }] };
  const closed = conditionOf(statusOf(pod(gates), { c: running }), "Ready");
  assert.deepEqual([closed?.status, closed?.reason], ["False", "ReadinessGatesNotReady"]);
  const opened = pod(gates, { conditions: [{ type: "example.com/gate", status: "True" }] });
  assert.equal(conditionOf(statusOf(opened, { c: running }), "Ready")?.status, "True");
});

void test("a condition keeps its transition time while its status stays", () => {
  const previous = [
    { type: "Ready", status: "True", lastTransitionTime: "t0" },
    { type: "ContainersReady", status: "False", lastTransitionTime: "t0" },
  ];
  const status = statusOf(pod({}), { c: view({ running: {} }, true) }, previous);
  assert.equal(conditionOf(status, "Ready")?.lastTransitionTime, "t0");
  assert.equal(conditionOf(status, "ContainersReady")?.lastTransitionTime, "t1");
});

void test("phases: by containers, restart policy and whether the pod is ending", () => {
  const ended = (exitCode: number): ContainerView => view({ terminated: { exitCode } });
  const phase = (spec: object, views: Record<string, ContainerView>, ending = false) =>
    statusOf(pod(spec), views, [], ending).phase;
  assert.equal(phase({}, {}), "Pending");
  assert.equal(phase({}, { c: view({ running: {} }) }), "Running");
  assert.equal(phase({}, { c: ended(1) }), "Running");
  assert.equal(phase({ restartPolicy: "Never" }, { c: ended(0) }), "Succeeded");
  assert.equal(phase({ restartPolicy: "Never" }, { c: ended(1) }), "Failed");
  assert.equal(phase({ restartPolicy: "OnFailure" }, { c: ended(1) }), "Running");
  assert.equal(phase({}, { c: ended(143) }, true), "Failed");
  assert.equal(phase({ initContainers: [{ name: "i" }] }, { i: view({ running: {} }) }), "Pending");
  assert.equal(phase({ initContainers: [{ name: "i" }], restartPolicy: "Never" }, { i: ended(1) }), "Failed");
});

void test("refusals name the field", () => {
  const message = (spec: object, rootless = false): string =>
    processRefusal(pod(spec), { rootless, hostAccess: false })?.message ?? "";
  assert.equal(message({}), "");
  assert.match(message({ hostIPC: true }), /^spec\.hostIPC:/);
  assert.match(message({ containers: [{ name: "c" }] }), /^spec\.containers\[c\]\.command:/);
  assert.match(message({ securityContext: { runAsUser: 0 } }), /runAsUser: 0 is root/);
  assert.match(message({ securityContext: { runAsGroup: 0 } }), /runAsGroup: 0/);
  assert.equal(message({ securityContext: { runAsUser: 1000 } }), "");
  assert.match(message({ securityContext: { runAsUser: 1000 } }, true), /only the one user 65534/);
  for (const mountPath of [
    "/",
    "/usr",
    "/usr/bin",
    "/bin/",
    "//etc",
    "/etc/ld.so.preload",
    "/lib64",
    "/usr/./lib/x",
    "/run",
    "/a/../etc",
    "x",
  ]) {
    assert.match(
      message({ containers: [{ name: "c", command: ["x"], volumeMounts: [{ name: "v", mountPath }] }] }),
      /mountPath/,
      mountPath,
    );
  }
  for (const mountPath of ["/data", "/etc/app", "/usr/share/x", "/run/app"]) {
    assert.equal(
      message({ containers: [{ name: "c", command: ["x"], volumeMounts: [{ name: "v", mountPath }] }] }),
      "",
      mountPath,
    );
  }
  assert.equal(plainPath("//a/./b/"), "/a/b");
});

void test("variables which any program obeys are kept from the programs before the pod's own", () => {
  const { safe, late } = splitEnvironment({ A: "1", LD_PRELOAD: "x", GLIBC_TUNABLES: "y", LANG: "C", PATH: "/bin" });
  assert.deepEqual(safe, { A: "1", PATH: "/bin" });
  assert.deepEqual(late, ["LD_PRELOAD=x", "GLIBC_TUNABLES=y", "LANG=C"]);
});

void test("the monitor's report: half a line is not yet said", () => {
  assert.deepEqual(readReport('{ "child-pid": 7, "cgroup-namespace": 1 }\n{ "exit-c'), {
    init: 7,
    exitCode: undefined,
  });
  assert.deepEqual(readReport('{ "child-pid": 7 }\n{ "exit-code": 42 }\n'), { init: 7, exitCode: 42 });
});
