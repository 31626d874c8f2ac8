import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { times } from "../../../test/lab/counts.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { NO_FAILURES, type Failures } from "./backoff.ts";
import { decideJob } from "./decide.ts";
import { isTracked, terminalOf, TRACKING } from "./finished.ts";

type Spec = Partial<NonNullable<Job["spec"]>>;

const jobOf = (spec: Spec = {}): Job => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { namespace: "n", name: "sum", uid: "j" },
  spec: {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    podReplacementPolicy: "TerminatingOrFailed",
    template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } },
    ...spec,
  },
});

/** A world of one Job in which every step may be the last before the controller starts anew. */
function createTrial(spec: Spec) {
  let job = jobOf(spec);
  let failures: Failures = NO_FAILURES;
  let now = 1_700_000_000_000;
  let made = 0;
  const pods = new Map<string, Pod>();
  const put = (pod: Pod): void => void pods.set(pod.metadata.uid ?? "", pod);
  /** The server's part: what is to go goes when nothing holds it. */
  const sweep = (pod: Pod): void => {
    if (pod.metadata.deletionTimestamp !== undefined && !isTracked(pod)) pods.delete(pod.metadata.uid ?? "");
  };
  const remove = (pod: Pod): void => {
    const deleted = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(now).toISOString() } };
    put(deleted);
    sweep(deleted);
  };
  const release = (pod: Pod): void => {
    const held = pods.get(pod.metadata.uid ?? "");
    if (held === undefined) return;
    const finalizers = (held.metadata.finalizers ?? []).filter((name) => name !== TRACKING);
    const released = { ...held, metadata: { ...held.metadata, finalizers } };
    put(released);
    sweep(released);
  };
  const decide = () => decideJob({ job, pods: [...pods.values()], failures, now });
  return {
    job: () => job,
    pods: () => [...pods.values()],
    pass: (milliseconds: number) => void (now += milliseconds),
    remove,
    end(pod: Pod, phase: string): void {
      const ended = { ...pod, status: { ...pod.status, phase } };
      put(ended);
      sweep(ended);
    },
    restart: () => void (failures = NO_FAILURES),
    /** One turn of the controller, of which only the first `steps` steps are done. */
    turn(steps = Number.POSITIVE_INFINITY): void {
      let left = steps;
      const step = (act: () => void): void => {
        if (left > 0) act();
        left -= 1;
      };
      if (terminalOf(job) !== undefined) return;
      const { create, discard, end } = decide();
      for (const pod of discard) {
        step(() => release(pod));
        step(() => pods.has(pod.metadata.uid ?? "") && remove(pods.get(pod.metadata.uid ?? "")!));
      }
      for (const pod of end) step(() => remove(pod));
      for (const pod of create) {
        step(() => {
          made += 1;
          const creationTimestamp = new Date(now).toISOString();
          const metadata = { ...pod.metadata, name: `p${made}`, uid: `p${made}`, creationTimestamp };
          put({ ...pod, metadata, status: { phase: "Pending" } });
        });
      }
      const after = decide();
      step(() => {
        job = { ...job, status: after.status };
        failures = after.failures;
        for (const pod of after.release) step(() => release(pod));
      });
    },
  };
}

/** What can happen between two steps of the controller. */
const happening = fc.record({
  what: fc.constantFrom("succeed", "fail", "delete", "time", "restart"),
  which: fc.nat(7),
  steps: fc.nat(6),
});

for (const completionMode of ["NonIndexed", "Indexed"]) {
  test(`CTL-127: no ${completionMode} pod is lost or counted twice, wherever the controller stops`, () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const trial = createTrial({ completionMode, completions: 5, parallelism: 3, backoffLimit: 1000 });
        const ended = { Succeeded: new Set<string>(), Failed: new Set<string>() };
        const settle = (): void => {
          for (let turn = 0; turn < 12; turn += 1) trial.turn();
        };
        const note = (pod: Pod, phase: "Succeeded" | "Failed"): void => {
          ended[phase].add(pod.metadata.uid ?? "");
        };
        const live = (): Pod[] =>
          trial
            .pods()
            .filter(({ metadata, status }) => status?.phase === "Pending" && metadata.deletionTimestamp === undefined);
        for (const { what, which, steps } of happenings) {
          trial.turn(steps);
          const running = live();
          const pod = running[which % Math.max(1, running.length)];
          if (what === "time") trial.pass(700_000);
          else if (what === "restart") trial.restart();
          else if (pod !== undefined && what === "succeed") {
            trial.end(pod, "Succeeded");
            note(pod, "Succeeded");
          } else if (pod !== undefined && what === "fail") {
            trial.end(pod, "Failed");
            note(pod, "Failed");
          } else if (pod !== undefined && what === "delete") {
            trial.remove(pod);
            note(pod, "Failed");
          }
          assert.ok(live().length <= 3, "never more than parallelism");
        }
        settle();
        for (let round = 0; round < 30 && terminalOf(trial.job()) === undefined; round += 1) {
          for (const pod of live()) {
            trial.end(pod, "Succeeded");
            note(pod, "Succeeded");
          }
          trial.pass(700_000);
          settle();
        }
        const { status } = trial.job();
        assert.equal(terminalOf(trial.job())?.type, "Complete");
        assert.equal(status?.succeeded, completionMode === "Indexed" ? 5 : ended.Succeeded.size);
        assert.equal(status?.failed ?? 0, ended.Failed.size);
        assert.ok(trial.pods().every((pod) => !isTracked(pod)));
      }),
      { numRuns: times(200, 5000) },
    );
  });
}

test("a Job whose pods are started again by the node counts restarts against backoffLimit", () => {
  const trial = createTrial({ backoffLimit: 2, template: { spec: { restartPolicy: "OnFailure", containers: [] } } });
  trial.turn();
  const [pod] = trial.pods();
  const restarted = (restartCount: number): void =>
    trial.end(
      {
        ...pod!,
        status: { containerStatuses: [{ name: "c", image: "i", imageID: "", ready: false, restartCount }] },
      },
      "Running",
    );
  restarted(1);
  trial.turn();
  assert.equal(trial.job().status?.conditions, undefined);
  restarted(2);
  trial.turn();
  assert.equal(trial.job().status?.conditions?.[0]?.reason, "BackoffLimitExceeded");
});

test("with podReplacementPolicy Failed no pod is replaced before it has ended", () => {
  const trial = createTrial({ podReplacementPolicy: "Failed" });
  trial.turn();
  const [pod] = trial.pods();
  trial.remove(pod!);
  trial.pass(700_000);
  trial.turn();
  trial.turn();
  assert.equal(trial.pods().length, 1);
  assert.equal(trial.job().status?.terminating, 1);
  assert.equal(trial.job().status?.failed, undefined);
  trial.end(trial.pods()[0]!, "Failed");
  trial.turn();
  trial.pass(700_000);
  trial.turn();
  assert.equal(trial.job().status?.failed, 1);
  assert.equal(trial.pods().length, 1);
  assert.notEqual(trial.pods()[0]?.metadata.uid, pod?.metadata.uid);
});
