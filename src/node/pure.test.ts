import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../api/generated/types.ts";
import { addressPool } from "./addresses/pool.ts";
import { failuresAfter, restartDelay, spokenDelay } from "./pods/back-off.ts";
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

void test("restarts: at once, then 10 s doubling to 5 minutes, and from the start again after a run of 10 minutes", () => {
  assert.deepEqual([1, 2, 3, 4, 7, 99].map(restartDelay), [0, 10_000, 20_000, 40_000, 300_000, 300_000]);
  assert.deepEqual([failuresAfter(5, 599_999), failuresAfter(5, 600_000)], [6, 1]);
  assert.deepEqual([10_000, 80_000, 160_000, 300_000].map(spokenDelay), ["10s", "1m20s", "2m40s", "5m0s"]);
});

const pod = (spec: object): Pod =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns" },
    spec: { containers: [{ name: "c", command: ["x"] }], ...spec },
  }) as never;

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
