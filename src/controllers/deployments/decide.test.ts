import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { RolloutTrial } from "../../../test/controllers/rollout-trial.ts";
import { deploymentOf, tryRollout, withImage } from "../../../test/controllers/rollout-trial.ts";
import type { Deployment, DeploymentCondition, ReplicaSet } from "../../api/generated/types.ts";
import { newestAnnotations } from "./annotations.ts";
import { decideRollout } from "./decide.ts";
import { newReplicaSet, sizeOf, sortedSets } from "./sets.ts";
import { templateHash, templateText } from "./template.ts";

const REVISION = "deployment.kubernetes.io/revision";
const HISTORY = "deployment.kubernetes.io/revision-history";

const sizes = (trial: RolloutTrial): (number | undefined)[] => trial.sets.map(({ spec }) => spec?.replicas);
const revisions = (trial: RolloutTrial): (string | undefined)[] =>
  trial.sets.map(({ metadata }) => metadata.annotations?.[REVISION]);
const progressing = ({ deployment }: RolloutTrial): DeploymentCondition | undefined =>
  deployment.status?.conditions?.find(({ type }) => type === "Progressing");
const changed = (deployment: Deployment, spec: Partial<NonNullable<Deployment["spec"]>>): Deployment => ({
  ...deployment,
  metadata: { ...deployment.metadata, generation: (deployment.metadata.generation ?? 0) + 1 },
  spec: { ...deployment.spec!, ...spec },
});

const rangeOf = (set: ReplicaSet) => ({ least: sizeOf(set), most: sizeOf(set) });

/** The controllers act, but no pod becomes available. */
function stall(trial: RolloutTrial): void {
  for (let round = 0; round < 10; round += 1) {
    while (trial.step());
    for (const index of trial.sets.keys()) {
      trial.know(index);
      trial.keep(index);
      trial.report(index);
      trial.see(index);
    }
  }
}

test("CTL-124: Recreate makes no new pod before the last old one is gone", () => {
  const trial = tryRollout(deploymentOf({ strategy: { type: "Recreate" } }));
  assert.ok(trial.settle());
  trial.deployment = withImage(trial.deployment, "two");
  assert.equal(trial.step(), true);
  assert.deepEqual(sizes(trial), [0]);
  assert.equal(trial.step(), false, "its controller has not looked yet");
  const held = trial.sets[0]!;
  const set = { ...held, status: { replicas: 0, observedGeneration: held.metadata.generation } };
  const facts = { deployment: trial.deployment, sets: [set], rangeOf, now: 0 };
  assert.equal(decideRollout({ ...facts, hasPods: () => true }).create, undefined, "a pod is still ending");
  assert.equal(decideRollout({ ...facts, hasPods: () => false }).create?.spec?.replicas, 3);
});

test("CTL-124: scaling in the middle of a rollout gives each ReplicaSet its share, and rolls on from there", () => {
  const trial = tryRollout(
    deploymentOf({
      replicas: 10,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    }),
  );
  assert.ok(trial.settle());
  trial.deployment = withImage(trial.deployment, "two");
  stall(trial);
  assert.deepEqual(sizes(trial), [8, 5]);
  trial.deployment = changed(trial.deployment, { replicas: 15 });
  trial.step();
  // 18 in all, five more: as in the documentation of Kubernetes, three for the larger one and two for the other.
  assert.deepEqual(sizes(trial), [11, 7]);
  trial.deployment = changed(trial.deployment, { replicas: 0 });
  while (trial.step());
  assert.deepEqual(sizes(trial), [0, 0]);
});

test("CTL-124: shares of a scaled rollout add up to what is allowed, and none turns negative", () => {
  const property = fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(60), fc.nat(8), (replicas, next, turns) => {
    const trial = tryRollout(deploymentOf({ replicas }));
    assert.ok(trial.settle());
    for (const image of ["two", "three"]) {
      trial.deployment = withImage(trial.deployment, image);
      stall(trial);
      for (let turn = 0; turn < turns; turn += 1) trial.turn(turn % 3, true);
    }
    stall(trial);
    const several = trial.sets.filter(({ spec }) => spec?.replicas !== 0).length > 1;
    trial.deployment = changed(trial.deployment, { replicas: next, paused: true });
    trial.step();
    const total = sizes(trial).reduce<number>((sum, size) => sum + (size ?? 0), 0);
    const allowed = next === 0 ? 0 : several ? next + Math.ceil(next / 4) : next;
    if (next !== replicas) assert.equal(total, allowed);
    assert.ok(sizes(trial).every((size) => (size ?? 0) >= 0));
    trial.deployment = changed(trial.deployment, { paused: false });
    assert.ok(trial.settle());
    assert.deepEqual([trial.total(), trial.available()], [next, next]);
  });
  fc.assert(property, { numRuns: 200 });
});

test("CTL-124: a paused Deployment is scaled, but not rolled out; it says that it is paused, and that it goes on", () => {
  const trial = tryRollout(deploymentOf());
  assert.ok(trial.settle());
  trial.deployment = changed(withImage(trial.deployment, "two"), { paused: true, replicas: 5 });
  assert.ok(trial.settle());
  assert.deepEqual([sizes(trial), progressing(trial)?.reason], [[5], "DeploymentPaused"]);
  assert.equal(trial.deployment.status?.updatedReplicas, undefined);
  trial.deployment = changed(trial.deployment, { paused: false });
  trial.step();
  assert.deepEqual(
    [progressing(trial)?.reason, progressing(trial)?.status, sizes(trial)],
    ["NewReplicaSetCreated", "True", [5, 2]],
  );
  assert.ok(trial.settle());
  assert.equal(progressing(trial)?.reason, "NewReplicaSetAvailable");
});

test("CTL-124: returning to a former template uses its ReplicaSet again, with a new revision and a history", () => {
  const trial = tryRollout(deploymentOf());
  assert.ok(trial.settle());
  for (const image of ["two", "one", "two"]) {
    trial.deployment = withImage(trial.deployment, image);
    assert.ok(trial.settle());
  }
  assert.deepEqual(
    [sizes(trial), revisions(trial)],
    [
      [0, 3],
      ["3", "4"],
    ],
  );
  assert.deepEqual(
    trial.sets.map(({ metadata }) => metadata.annotations?.[HISTORY]),
    ["1", "2"],
  );
  assert.equal(trial.deployment.metadata.annotations?.[REVISION], "4");
});

test("CTL-124: of the old ReplicaSets only the newest revisions are kept, as many as revisionHistoryLimit says", () => {
  const trial = tryRollout(deploymentOf({ revisionHistoryLimit: 2 }));
  for (const image of ["one", "two", "three", "four", "one"]) {
    trial.deployment = withImage(trial.deployment, image);
    assert.ok(trial.settle());
  }
  // The first was kept as long as it was among the last; it was made anew after that.
  assert.deepEqual(revisions(trial), ["3", "4", "5"]);
  trial.deployment = changed(trial.deployment, { revisionHistoryLimit: 0 });
  assert.ok(trial.settle());
  assert.deepEqual(revisions(trial), ["5"]);
});

test("CTL-124: annotations of the Deployment are copied, but for those that are its own", () => {
  const annotations = {
    "kubernetes.io/change-cause": "because",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
    [REVISION]: "9",
  };
  const deployment = deploymentOf({}, { annotations });
  const set = newReplicaSet(deployment, 3, 2);
  assert.deepEqual(set.metadata.annotations, {
    "kubernetes.io/change-cause": "because",
    [REVISION]: "3",
    "deployment.kubernetes.io/desired-replicas": "3",
    "deployment.kubernetes.io/max-replicas": "4",
  });
  const history = Array.from({ length: 600 }, (_, index) => index + 1000).join(",");
  const old = { ...set, metadata: { ...set.metadata, annotations: { [REVISION]: "7", [HISTORY]: history } } };
  const next = newestAnnotations(deployment, old, 8)[HISTORY] ?? "";
  assert.ok(next.length <= 2000 && next.endsWith(",1599,7"), "the oldest revisions are forgotten");
});

test("CTL-124: a rollout without progress is reported when its deadline has passed, and not a moment before", () => {
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const trial = tryRollout(deploymentOf({ progressDeadlineSeconds: 10 }), clock);
  stall(trial);
  assert.equal(progressing(trial)?.reason, "ReplicaSetUpdated");
  const facts = () => ({
    deployment: trial.deployment,
    sets: trial.sets,
    hasPods: () => true,
    rangeOf,
    now: clock.now,
  });
  assert.equal(decideRollout(facts()).again, 11_000);
  clock.now += 10_999;
  stall(trial);
  assert.equal(progressing(trial)?.reason, "ReplicaSetUpdated");
  clock.now += decideRollout(facts()).again ?? Number.NaN;
  stall(trial);
  assert.deepEqual([progressing(trial)?.reason, progressing(trial)?.status], ["ProgressDeadlineExceeded", "False"]);
  assert.match(progressing(trial)?.message ?? "", /^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/);
  assert.equal(decideRollout(facts()).again, undefined);
  // Late is better than never.
  assert.ok(trial.settle());
  assert.equal(progressing(trial)?.reason, "NewReplicaSetAvailable");
  trial.deployment = changed(trial.deployment, { progressDeadlineSeconds: 2 ** 31 - 1 });
  assert.ok(trial.settle());
  assert.equal(progressing(trial), undefined);
});

test("CTL-124: every sign of progress counts anew, and the failure of a ReplicaSet shows on its Deployment", () => {
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const trial = tryRollout(deploymentOf(), clock);
  stall(trial);
  clock.now += 60_000;
  trial.turn(0, true);
  stall(trial);
  assert.deepEqual(
    [progressing(trial)?.lastUpdateTime, progressing(trial)?.lastTransitionTime],
    ["2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z"],
  );
  const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" };
  const sets = trial.sets.map((set) => ({ ...set, status: { ...set.status!, conditions: [failure] } }));
  const facts = { deployment: trial.deployment, hasPods: () => true, rangeOf, now: clock.now };
  const failed = decideRollout({ ...facts, sets }).deployment;
  assert.equal(failed.status?.conditions?.find(({ type }) => type === "ReplicaFailure")?.message, "quota");
  const well = decideRollout({ ...facts, deployment: failed, sets: trial.sets }).deployment;
  assert.equal(
    well.status?.conditions?.find(({ type }) => type === "ReplicaFailure"),
    undefined,
  );
});

test("CTL-124: the template's hash depends on nothing but what the template says", () => {
  const containers = [{ name: "c", image: "one" }];
  const one = { metadata: { labels: { a: "1", b: "2" } }, spec: { containers, dnsPolicy: "Default" } };
  const same = {
    spec: { dnsPolicy: "Default", containers: [{ image: "one", resources: {}, name: "c" }], volumes: [] },
    metadata: { labels: { b: "2", a: "1", "pod-template-hash": "x" }, creationTimestamp: undefined },
  };
  assert.equal(templateText(same), templateText(one));
  assert.equal(templateHash(same, 0), templateHash(one, 0));
  assert.equal(templateHash(one, 0), templateHash(structuredClone(one), 0));
  assert.notEqual(templateHash(one, 1), templateHash(one, 0));
  const volumes = [{ name: "v", emptyDir: {} }];
  assert.notEqual(
    templateText({ ...one, spec: { containers, volumes } }),
    templateText({ ...one, spec: { containers, volumes: [{ name: "v" }] } }),
  );
});

test("CTL-124: of several ReplicaSets with the template the oldest counts", () => {
  const deployment = deploymentOf();
  const set = newReplicaSet(deployment, 1, 1);
  const at = (name: string, creationTimestamp: string) => ({
    ...set,
    metadata: { ...set.metadata, name, creationTimestamp },
  });
  const sets = [at("c", "2026-01-02T00:00:00Z"), at("b", "2026-01-01T00:00:00Z"), at("a", "2026-01-01T00:00:00Z")];
  assert.equal(sortedSets(deployment, sets, rangeOf).newest?.metadata.name, "a");
});

test("CTL-124: a ReplicaSet of the right size that was told another one does not hold up a rollout", () => {
  const trial = tryRollout(deploymentOf());
  assert.ok(trial.settle());
  const [set] = trial.sets;
  const annotations = { ...set!.metadata.annotations, "deployment.kubernetes.io/desired-replicas": "2" };
  const { update } = decideRollout({
    deployment: trial.deployment,
    sets: [{ ...set!, metadata: { ...set!.metadata, annotations } }],
    hasPods: () => true,
    rangeOf,
    now: 0,
  });
  assert.equal(update[0]?.metadata.annotations?.["deployment.kubernetes.io/desired-replicas"], "3");
});

test("CTL-124: what rounding leaves over goes to the largest ReplicaSet; of equal ones the newest grows and the oldest shrinks", () => {
  const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } };
  const before = deploymentOf({ replicas: 7, strategy });
  const sets = ["one", "two", "three"].map((image, index) => {
    const set = newReplicaSet(withImage(before, image), index + 1, 3);
    const metadata = { ...set.metadata, uid: image, creationTimestamp: `2026-01-0${index + 1}T00:00:00Z` };
    return { ...set, metadata };
  });
  const scaledTo = (replicas: number): Record<string, number | undefined> => {
    const deployment = withImage(deploymentOf({ replicas, strategy }), "three");
    const { update } = decideRollout({ deployment, sets, hasPods: () => true, rangeOf, now: 0 });
    return Object.fromEntries(update.map(({ metadata, spec }) => [metadata.uid, spec?.replicas]));
  };
  assert.deepEqual(scaledTo(8), { one: 3, two: 3, three: 4 });
  assert.deepEqual(scaledTo(6), { one: 2, two: 3, three: 3 });
});
