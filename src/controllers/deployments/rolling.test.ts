import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { deploymentOf, tryRollout, withImage } from "../../../test/controllers/rollout-trial.ts";
import { maxSurgeOf, maxUnavailableOf, replicasOf } from "./bounds.ts";
import { isComplete } from "./status.ts";

const share = fc.oneof(
  fc.nat(6),
  fc.nat(100).map((percent) => `${percent}%`),
);
const bounds = fc
  .record({ maxSurge: share, maxUnavailable: share })
  .filter(({ maxSurge, maxUnavailable }) => parseInt(`${maxSurge}`, 10) + parseInt(`${maxUnavailable}`, 10) > 0);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ what: "step" as const, set: 0 }) },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constantFrom("know" as const, "keep" as const, "report" as const, "turn" as const, "see" as const),
      set: fc.nat(3),
    }),
  },
);

test("CTL-124: whatever happens in whatever order, a rolling update keeps within its bounds, and it ends", () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 20 }),
    bounds,
    fc.array(fc.array(happening, { maxLength: 100 }), { minLength: 1, maxLength: 3 }),
    (replicas, rollingUpdate, rollouts) => {
      const trial = tryRollout(deploymentOf({ replicas, strategy: { type: "RollingUpdate", rollingUpdate } }));
      assert.ok(trial.settle());
      const least = replicas - maxUnavailableOf(trial.deployment);
      const most = replicas + maxSurgeOf(trial.deployment);
      for (const [index, happenings] of rollouts.entries()) {
        // The next template comes while the rollout to the last one is under way.
        trial.deployment = withImage(trial.deployment, `image-${index}`);
        for (const { what, set } of happenings) {
          if (what === "step") trial.step();
          else if (what === "turn") trial.turn(set, true);
          else trial[what](set);
          assert.ok(trial.available() >= least, `${trial.available()} available after ${what}, not ${least}`);
          assert.ok(trial.total() <= most, `${trial.total()} pods after ${what}, not ${most} at most`);
        }
      }
      assert.ok(trial.settle(), "it comes to rest");
      assert.ok(isComplete(trial.deployment, trial.deployment.status ?? {}), "it is complete");
      assert.deepEqual([trial.total(), trial.available()], [replicas, replicas]);
      const sized = trial.sets.filter(({ spec }) => spec?.replicas !== 0);
      assert.deepEqual(
        sized.map(({ spec }) => spec?.template?.spec?.containers[0]?.image),
        [`image-${rollouts.length - 1}`],
      );
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test("CTL-124: maxSurge is rounded up, maxUnavailable down, and both at nothing let one pod be missing", () => {
  const of = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): [number, number] => {
    const deployment = deploymentOf({
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
    });
    return [maxSurgeOf(deployment), maxUnavailableOf(deployment)];
  };
  assert.deepEqual(of(10, "25%", "25%"), [3, 2]);
  assert.deepEqual(of(3, "25%", "25%"), [1, 0]);
  assert.deepEqual(of(1, "25%", "25%"), [1, 0]);
  assert.deepEqual(of(2, 0, "1%"), [0, 1]);
  assert.deepEqual(of(4, 2, 9), [2, 4]);
  assert.deepEqual(of(0, "50%", "50%"), [0, 0]);
  const recreate = deploymentOf({ strategy: { type: "Recreate" } });
  assert.deepEqual([maxSurgeOf(recreate), maxUnavailableOf(recreate), replicasOf(recreate)], [0, 0, 3]);
});

test("CTL-124: pods of old ReplicaSets that do not work are given up first, so that they do not hold up the rollout", () => {
  const trial = tryRollout(deploymentOf({ replicas: 10 }));
  assert.ok(trial.settle());
  trial.deployment = withImage(trial.deployment, "broken");
  for (let round = 0; round < 5; round += 1) {
    trial.step();
    for (const index of [0, 1]) {
      trial.know(index);
      trial.keep(index);
      trial.report(index);
      trial.see(index);
    }
  }
  assert.deepEqual(
    trial.sets.map(({ spec }) => spec?.replicas),
    [8, 5],
  );
  trial.deployment = withImage(trial.deployment, "good");
  trial.step();
  while (trial.step());
  const broken = trial.sets[1];
  assert.equal(broken?.spec?.replicas, 0, "the five that never worked are gone at once");
  assert.equal(trial.sets[0]?.spec?.replicas, 8, "the eight that serve stay");
});
