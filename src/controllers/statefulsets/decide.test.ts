import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { decideSet, type SetInput, type Step } from "./decide.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");

type Spec = Partial<NonNullable<StatefulSet["spec"]>>;

const setOf = (spec: Spec = {}, status?: StatefulSet["status"]): StatefulSet => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { namespace: "n", name: "web", uid: "s", generation: 2 },
  spec: {
    replicas: 3,
    serviceName: "nginx",
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "new" }] } },
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    ...spec,
  },
  ...(status === undefined ? {} : { status }),
});

interface Facts {
  readonly revision?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly ending?: boolean;
  readonly since?: string;
}

const podOf = (ordinal: number, facts: Facts = {}): Pod => {
  const { revision = "new", phase = "Running", ready = true, ending = false, since = "2026-01-01T00:00:00Z" } = facts;
  const name = `web-${ordinal}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: "n",
      name,
      uid: `pod-${ordinal}`,
      labels: {
        app: "web",
        "statefulset.kubernetes.io/pod-name": name,
        "controller-revision-hash": revision,
      },
      ...(ending ? { deletionTimestamp: since } : {}),
    },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
    },
  };
};

const decide = (set: StatefulSet, pods: readonly Pod[], more: Partial<SetInput> = {}) =>
  decideSet({
    set,
    pods,
    claim: () => undefined,
    current: { name: "old", template: { spec: { containers: [{ name: "c", image: "old" }] } } },
    update: { name: "new", template: { spec: { containers: [{ name: "c", image: "new" }] } } },
    collisionCount: 0,
    now: NOW,
    ...more,
  });

const wordOf = (step: Step): string =>
  "pod" in step && typeof step.pod !== "string"
    ? `${step.action} ${step.pod.metadata.name ?? ""}`
    : `${step.action} ${"claim" in step ? (step.claim.metadata.name ?? "") : ""}`;
const said = (set: StatefulSet, pods: readonly Pod[], more?: Partial<SetInput>): string =>
  decide(set, pods, more)
    .steps.map((steps) => steps.map(wordOf).join(" then "))
    .join(", ");

const PARALLEL = { podManagementPolicy: "Parallel" };
const old = { revision: "old" };
const broken = { ready: false };

for (const [what, spec, pods, expected] of [
  ["the first pod comes first", {}, [], "createPod web-0"],
  ["the next waits until the one before is ready", {}, [podOf(0, broken)], ""],
  ["the next comes when the one before is ready", {}, [podOf(0)], "createPod web-1"],
  ["a gap is filled before anything else", {}, [podOf(0), podOf(2)], "createPod web-1"],
  ["a pod that ends holds those above it back", {}, [podOf(0, { ending: true })], ""],
  ["minReadySeconds hold the next back", { minReadySeconds: 601 }, [podOf(0)], ""],
  ["minReadySeconds that are over do not", { minReadySeconds: 600 }, [podOf(0)], "createPod web-1"],
  ["Parallel makes all at once", PARALLEL, [], "createPod web-0, createPod web-1, createPod web-2"],
  ["ordinals may begin anywhere", { ordinals: { start: 7 }, replicas: 1 }, [], "createPod web-7"],
  ["a pod that failed goes", {}, [podOf(0, { phase: "Failed" })], "deletePod web-0"],
  ["one that succeeded goes too", {}, [podOf(0, { phase: "Succeeded" })], "deletePod web-0"],
  ["the highest of too many goes first", { replicas: 1 }, [0, 1, 2].map((at) => podOf(at)), "deletePod web-2"],
  ["while it ends, no other goes", { replicas: 1 }, [podOf(0), podOf(1), podOf(2, { ending: true })], ""],
  ["too many wait until the wanted ones are up", { replicas: 1 }, [podOf(0, broken), podOf(1)], ""],
  ["a broken one among too many is let go", { replicas: 1 }, [podOf(0), podOf(1, broken)], "deletePod web-1"],
  [
    "Parallel lets all that are too many go at once",
    { ...PARALLEL, replicas: 1 },
    [podOf(0, broken), podOf(1), podOf(2)],
    "deletePod web-2, deletePod web-1",
  ],
  ["an update takes the highest first", {}, [0, 1, 2].map((at) => podOf(at, old)), "deletePod web-2"],
  ["and the next when that one is up again", {}, [podOf(0, old), podOf(1, old), podOf(2)], "deletePod web-1"],
  ["and waits until it is", {}, [podOf(0, old), podOf(1, old), podOf(2, broken)], ""],
  [
    "a partition keeps those below it",
    { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
    [podOf(0, old), podOf(1, old), podOf(2)],
    "",
  ],
  [
    "maxUnavailable is not looked at, as its feature is off in Kubernetes 1.36",
    { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 3 } } },
    [0, 1, 2].map((at) => podOf(at, old)),
    "deletePod web-2",
  ],
  ["OnDelete updates nothing", { updateStrategy: { type: "OnDelete" } }, [0, 1, 2].map((at) => podOf(at, old)), ""],
  // Kubernetes' known limit: in order, a pod that never gets ready is not replaced when the template is mended.
  ["in order, a broken pod of a bad template stays", {}, [podOf(0), podOf(1), podOf(2, { ...old, ...broken })], ""],
  [
    "Parallel replaces a broken pod of a bad template",
    PARALLEL,
    [podOf(0), podOf(1), podOf(2, { ...old, ...broken })],
    "deletePod web-2",
  ],
  [
    "a pod that lost its name's label gets it back",
    { replicas: 1 },
    [{ ...podOf(0), metadata: { ...podOf(0).metadata, labels: { app: "web", "controller-revision-hash": "new" } } }],
    "updatePod web-0",
  ],
] as const) {
  test(`CTL-125: ${what}`, () => assert.equal(said(setOf(spec), pods), expected));
}

test("CTL-125: below the partition a pod is made as it was", () => {
  const partitioned = setOf({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } });
  const imageOf = (steps: readonly (readonly Step[])[]): unknown[] =>
    steps.flat().map((step) => (step.action === "createPod" ? step.pod.spec?.containers[0]?.image : step.action));
  assert.deepEqual(imageOf(decide(partitioned, []).steps), ["old"]);
  assert.deepEqual(imageOf(decide(partitioned, [podOf(0, old)]).steps), ["new"]);
});

test("CTL-125: a set that is going touches nothing", () => {
  const set = setOf();
  const going = { ...set, metadata: { ...set.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.equal(said(going, [podOf(0)]), "");
});

test("CTL-125, CTL-129: the status counts pods by readiness, availability and revision", () => {
  const pods = [podOf(0, old), podOf(1), podOf(2, { since: "2026-01-01T00:09:59Z" })];
  const { status } = decide(setOf({ minReadySeconds: 5 }), pods);
  assert.deepEqual(status, {
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 2,
    currentReplicas: 1,
    updatedReplicas: 2,
    currentRevision: "old",
    updateRevision: "new",
    collisionCount: 0,
  });
});

test("CTL-125: a rollout is over when all pods are new and ready, and not for OnDelete", () => {
  const pods = [0, 1, 2].map((at) => podOf(at));
  assert.equal(decide(setOf(), pods).status.currentRevision, "new");
  assert.equal(decide(setOf({ updateStrategy: { type: "OnDelete" } }), pods).status.currentRevision, "old");
});

const data: PersistentVolumeClaim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data" } };
const WITH_DATA = { volumeClaimTemplates: [data] };

function claimOf(name: string, owner?: { kind: string; name: string; uid: string }, ending = false) {
  const ownerReferences =
    owner === undefined
      ? undefined
      : [{ apiVersion: owner.kind === "Pod" ? "v1" : "apps/v1", controller: true, blockOwnerDeletion: true, ...owner }];
  return (wanted: string): PersistentVolumeClaim | undefined =>
    wanted !== name
      ? undefined
      : {
          ...data,
          metadata: { name, ownerReferences, ...(ending ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
        };
}

const ofSet = { kind: "StatefulSet", name: "web", uid: "s" };
const ofPod = (uid: string) => ({ kind: "Pod", name: "web-1", uid });
const deletes = (whenScaled: string, whenDeleted: string): Spec => ({
  ...WITH_DATA,
  replicas: 1,
  persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted },
});

for (const [what, spec, pods, claim, expected] of [
  ["claims come before their pod", WITH_DATA, [], () => undefined, "createClaim data-web-0 then createPod web-0"],
  ["one that is there is taken as it is", WITH_DATA, [], claimOf("data-web-0"), "createPod web-0"],
  ["one that is going is waited for", WITH_DATA, [], claimOf("data-web-0", undefined, true), "awaitClaim data-web-0"],
  [
    "a pod that waits for a lost claim gets it",
    { ...WITH_DATA, replicas: 1 },
    [podOf(0, { phase: "Pending", ready: false })],
    () => undefined,
    "createClaim data-web-0",
  ],
  [
    "Retain takes the set's reference off",
    { ...WITH_DATA, replicas: 1 },
    [podOf(0)],
    claimOf("data-web-0", ofSet),
    "updateClaim data-web-0",
  ],
  [
    "whenDeleted gives the claim to the set",
    deletes("Retain", "Delete"),
    [podOf(0)],
    claimOf("data-web-0"),
    "updateClaim data-web-0",
  ],
  ["and leaves it there", deletes("Retain", "Delete"), [podOf(0)], claimOf("data-web-0", ofSet), ""],
  [
    "whenScaled gives the claim to the pod that goes",
    deletes("Delete", "Retain"),
    [podOf(0), podOf(1)],
    claimOf("data-web-1"),
    "updateClaim data-web-1, deletePod web-1",
  ],
  [
    "a claim of the pod that went is waited for",
    { ...deletes("Delete", "Retain"), replicas: 2 },
    [podOf(0)],
    claimOf("data-web-1", ofPod("before")),
    "",
  ],
] as const) {
  test(`CTL-125: ${what}`, () => assert.equal(said(setOf(spec), pods, { claim }), expected));
}
