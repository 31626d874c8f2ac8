import type { Deployment, ReplicaSet } from "../../src/api/generated/types.ts";
import { decideRollout } from "../../src/controllers/deployments/decide.ts";
import { rememberSizes } from "../../src/controllers/deployments/sizes.ts";

/** A ReplicaSet as it really is, and as the Deployment's controller sees it. */
interface Played {
  real: ReplicaSet;
  seen: ReplicaSet;
  /** As its own controller sees it. */
  known: ReplicaSet;
  /** Its pods: whether each is available. */
  pods: boolean[];
}

export interface RolloutTrial {
  deployment: Deployment;
  readonly sets: readonly ReplicaSet[];
  /** Pods that are there, and those of them that are available. */
  total(): number;
  available(): number;
  /** One step of the Deployment's controller. Answers whether it changed a ReplicaSet. */
  step(): boolean;
  /** The ReplicaSet's controller sees what was written. */
  know(index: number): void;
  /** It makes and deletes pods as it knows. */
  keep(index: number): void;
  /** It writes the status. */
  report(index: number): void;
  /** A pod of it becomes available, or stops to be. */
  turn(index: number, available: boolean): void;
  /** The Deployment's controller sees what became of it. */
  see(index: number): void;
  /** All of it, until nothing moves; false when it does not come to rest. */
  settle(): boolean;
}

export const deploymentOf = (
  spec: Partial<NonNullable<Deployment["spec"]>> = {},
  metadata: Partial<Deployment["metadata"]> = {},
): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: "shop", name: "web", uid: "d-1", generation: 1, ...metadata },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "one" }] } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    ...spec,
  },
});

export const withImage = (deployment: Deployment, image: string): Deployment => ({
  ...deployment,
  metadata: { ...deployment.metadata, generation: (deployment.metadata.generation ?? 0) + 1 },
  spec: {
    ...deployment.spec!,
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
  },
});

/** A Deployment and its ReplicaSets in memory, where every controller acts when the test says so. */
export function tryRollout(deployment: Deployment, clock: { now: number } = { now: 1_800_000_000_000 }): RolloutTrial {
  const played: Played[] = [];
  const sizes = rememberSizes(
    (set) => played.find(({ real }) => real.metadata.uid === set.metadata.uid)?.pods.length ?? 0,
  );
  let version = 1;
  let ages = 0;

  const store = (index: number, next: ReplicaSet): void => {
    const held = played[index]!;
    const changed = JSON.stringify(next.spec) !== JSON.stringify(held.real.spec);
    version += 1;
    const generation = (held.real.metadata.generation ?? 0) + (changed ? 1 : 0);
    held.real = { ...next, metadata: { ...next.metadata, generation, resourceVersion: String(version) } };
  };

  const trial: RolloutTrial = {
    deployment,
    get sets() {
      return played.map(({ real }) => real);
    },
    total: () => played.reduce((total, { pods }) => total + pods.length, 0),
    available: () => played.reduce((total, { pods }) => total + pods.filter(Boolean).length, 0),
    step() {
      const step = decideRollout({
        deployment: trial.deployment,
        sets: played.map(({ seen }) => seen),
        hasPods: ({ metadata }) =>
          (played.find(({ real }) => real.metadata.uid === metadata.uid)?.pods.length ?? 0) > 0,
        rangeOf: (set) => sizes.rangeOf(set),
        now: clock.now,
      });
      trial.deployment = step.deployment;
      if (step.create !== undefined) {
        ages += 1;
        version += 1;
        const creationTimestamp = new Date(1_700_000_000_000 + ages * 1000).toISOString();
        const { metadata, ...set } = step.create;
        const made: ReplicaSet = {
          ...set,
          metadata: {
            ...metadata,
            uid: `set-${ages}`,
            creationTimestamp,
            generation: 1,
            resourceVersion: String(version),
          },
          status: { replicas: 0 },
        };
        played.push({ real: made, seen: made, known: made, pods: [] });
        return true;
      }
      for (const next of step.update) {
        const index = played.findIndex(({ real }) => real.metadata.uid === next.metadata.uid);
        const held = played[index]!;
        // A conflict: somebody wrote what is not seen yet.
        if (next.metadata.resourceVersion !== held.real.metadata.resourceVersion) return false;
        if (next.spec?.replicas !== held.seen.spec?.replicas) sizes.resized(held.seen);
        store(index, next);
        held.seen = held.real;
      }
      for (const gone of step.remove) {
        played.splice(
          played.findIndex(({ real }) => real.metadata.uid === gone.metadata.uid),
          1,
        );
      }
      return step.update.length + step.remove.length > 0;
    },
    know(index) {
      const held = played[index];
      if (held !== undefined) held.known = held.real;
    },
    keep(index) {
      const held = played[index];
      if (held === undefined) return;
      const size = held.known.spec?.replicas ?? 0;
      while (held.pods.length < size) held.pods.push(false);
      // Those that are not available go first.
      held.pods = held.pods.sort((left, right) => Number(right) - Number(left)).slice(0, size);
    },
    report(index) {
      const held = played[index];
      // A conflict: somebody wrote what it does not know yet.
      if (held === undefined || held.known.metadata.resourceVersion !== held.real.metadata.resourceVersion) return;
      const availableReplicas = held.pods.filter(Boolean).length;
      const status = {
        replicas: held.pods.length,
        readyReplicas: availableReplicas,
        availableReplicas,
        observedGeneration: held.known.metadata.generation,
      };
      if (JSON.stringify(held.real.status) !== JSON.stringify(status)) store(index, { ...held.real, status });
      held.known = held.real;
    },
    turn(index, available) {
      const held = played[index];
      const at = held?.pods.indexOf(!available) ?? -1;
      if (held !== undefined && at !== -1) held.pods[at] = available;
    },
    see(index) {
      const held = played[index];
      if (held !== undefined) held.seen = held.real;
    },
    settle() {
      for (let round = 0; round < 1000; round += 1) {
        const before = JSON.stringify([played, trial.deployment.status]);
        for (let index = 0; index < played.length; index += 1) {
          for (let pods = played[index]!.pods.length; pods > 0; pods -= 1) trial.turn(index, true);
          trial.know(index);
          trial.keep(index);
          trial.report(index);
          trial.see(index);
        }
        while (trial.step());
        if (JSON.stringify([played, trial.deployment.status]) === before) return true;
      }
      return false;
    },
  };
  return trial;
}
