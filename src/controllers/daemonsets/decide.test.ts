import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet, Node, Pod, Taint } from "../../api/generated/types.ts";
import { manualClock } from "../../../test/client/waiting.ts";
import { decideDaemonSet } from "./decide.ts";
import { createFailures } from "./failures.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");

type Spec = Partial<NonNullable<DaemonSet["spec"]>>;
type Rolling = NonNullable<NonNullable<DaemonSet["spec"]>["updateStrategy"]>["rollingUpdate"];

const setOf = (rollingUpdate: Rolling = { maxUnavailable: 1, maxSurge: 0 }, spec: Spec = {}): DaemonSet => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { namespace: "n", name: "agent", uid: "d", generation: 1 },
  spec: {
    selector: { matchLabels: { app: "agent" } },
    template: { spec: { containers: [] } },
    updateStrategy: { type: "RollingUpdate", rollingUpdate },
    ...spec,
  },
});

const nodeOf = (name: string, taints: readonly Taint[] = []): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  spec: { taints: [...taints] },
});

interface Facts {
  readonly hash?: string;
  readonly ready?: boolean;
  readonly phase?: string;
  readonly ending?: boolean;
  readonly bound?: boolean;
}

const podOf = (name: string, node: string, facts: Facts = {}): Pod => {
  const { hash = "new", ready = true, phase = "Running", ending = false, bound = true } = facts;
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: "n",
      name,
      labels: { "controller-revision-hash": hash },
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(ending ? { deletionTimestamp: "2026-01-01T00:09:00Z" } : {}),
    },
    spec: {
      containers: [],
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
      ...(bound ? { nodeName: node } : {}),
    },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    },
  };
};

const said = (set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], wait = 0): string => {
  const { create, remove } = decideDaemonSet({ set, nodes, pods, hash: "new", wait: () => wait, now: NOW });
  return [...create.map((node) => `+${node}`), ...remove.map(({ metadata }) => `-${metadata.name ?? ""}`)].join(" ");
};

const nodes = ["a", "b", "c"].map((name) => nodeOf(name));
const SURGE = { maxSurge: 1, maxUnavailable: 0 };
const old = { hash: "old" };

for (const [what, rolling, pods, expected] of [
  ["every node gets a pod", undefined, [], "+a +b +c"],
  ["a node whose pod ends waits for it", undefined, [podOf("1", "a", { ending: true })], "+b +c"],
  ["a pod that waits for its node counts as there", undefined, [podOf("1", "a", { bound: false })], "+b +c"],
  [
    "of two pods on a node the older stays",
    undefined,
    [podOf("1", "a"), podOf("2", "a"), podOf("3", "b"), podOf("4", "c")],
    "-2",
  ],
  [
    "a pod meant for a node that is gone is taken away",
    undefined,
    [podOf("1", "a"), podOf("2", "b"), podOf("3", "c"), podOf("4", "gone", { bound: false })],
    "-4",
  ],
  ["a failed pod goes", undefined, [podOf("1", "a", { phase: "Failed" }), podOf("2", "b"), podOf("3", "c")], "-1"],
  [
    "an update takes as many as may be unavailable",
    { maxUnavailable: 2, maxSurge: 0 },
    [podOf("1", "a", old), podOf("2", "b", old), podOf("3", "c", old)],
    "-1 -2",
  ],
  [
    "a share of the nodes is rounded up",
    { maxUnavailable: "40%", maxSurge: 0 },
    [podOf("1", "a", old), podOf("2", "b", old), podOf("3", "c", old)],
    "-1 -2",
  ],
  [
    "new pods that are not available count",
    undefined,
    [podOf("1", "a", { ready: false }), podOf("2", "b", old), podOf("3", "c", old)],
    "",
  ],
  [
    "old pods that are not available go anyway",
    undefined,
    [podOf("1", "a", { ready: false }), podOf("2", "b", { ...old, ready: false }), podOf("3", "c", old)],
    "-2",
  ],
  [
    "surging, a new pod comes beside an old one",
    SURGE,
    [podOf("1", "a", old), podOf("2", "b", old), podOf("3", "c", old)],
    "+a",
  ],
  [
    "and waits until it is available",
    SURGE,
    [podOf("1", "a", old), podOf("4", "a", { ready: false }), podOf("2", "b", old), podOf("3", "c", old)],
    "",
  ],
  [
    "then the old one goes",
    SURGE,
    [podOf("1", "a", old), podOf("4", "a"), podOf("2", "b", old), podOf("3", "c", old)],
    "-1",
  ],
] as const) {
  test(`CTL-126: ${what}`, () => assert.equal(said(setOf(rolling), nodes, pods), expected));
}

test("CTL-126: a failed pod is left lying for a while, twice as long each time", () => {
  const pods = [podOf("1", "a", { phase: "Failed" }), podOf("2", "b"), podOf("3", "c")];
  assert.equal(said(setOf(), nodes, pods, 500), "");
  const clock = manualClock();
  const failures = createFailures(clock);
  assert.equal(failures.wait("a"), 0);
  for (const wait of [1000, 2000, 4000]) {
    failures.note("a");
    assert.equal(failures.wait("a"), wait);
    clock.advance(wait);
    assert.equal(failures.wait("a"), 0);
  }
  clock.advance(31 * 60_000);
  failures.note("a");
  assert.equal(failures.wait("a"), 1000, "long ago is forgotten");
});

test("CTL-126, CTL-129: minReadySeconds make a ready pod available, in the status and in updates", () => {
  const set = setOf(undefined, { minReadySeconds: 601 });
  const pods = [podOf("1", "a"), podOf("2", "b", old), podOf("3", "c", { ...old, ready: false })];
  const { status } = decideDaemonSet({ set, nodes, pods, hash: "new", wait: () => 0, now: NOW });
  assert.deepEqual(status, {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: 2,
    updatedNumberScheduled: 1,
    numberAvailable: undefined,
    numberUnavailable: 3,
  });
});

test("CTL-126: untolerated taints keep new pods away, and NoExecute drives out those that are there", () => {
  const tainted = (effect: string): Node[] => [nodeOf("a", [{ key: "k", effect }])];
  assert.equal(said(setOf(), tainted("NoSchedule"), []), "");
  assert.equal(said(setOf(), tainted("NoSchedule"), [podOf("1", "a")]), "");
  assert.equal(said(setOf(), tainted("NoExecute"), [podOf("1", "a")]), "-1");
  assert.equal(said(setOf(), tainted("PreferNoSchedule"), []), "+a");
  const unreachable = nodeOf("a", [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }]);
  assert.equal(said(setOf(), [unreachable], [podOf("1", "a")]), "");
});
