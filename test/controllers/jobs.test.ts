import assert from "node:assert/strict";
import { test } from "node:test";
import { jobs, pods } from "../../src/api/resources.ts";
import {
  AT,
  begin,
  conditionsOf,
  end,
  indexOf,
  messages,
  nameOf,
  over,
  podsOf,
  read,
  unended,
  waitForPods,
} from "./job-trial.ts";
import { eventually } from "./world.ts";

const TRACKING = "batch.kubernetes.io/job-tracking";

test("CTL-127: a Job runs its pods by parallelism, counts each once and is complete", async (t) => {
  const { client, complaints } = await begin(t, { completions: 3, parallelism: 2 });
  const [first, second] = await waitForPods(client, 2);
  assert.match(nameOf(first!), /^sum-[a-z0-9]{5}$/);
  assert.deepEqual(first?.metadata.finalizers, [TRACKING]);
  const job = await eventually(
    "two active",
    () => read(client),
    ({ status }) => status?.active === 2,
  );
  assert.equal(first?.metadata.ownerReferences?.[0]?.uid, job.metadata.uid);
  assert.ok(job.status?.startTime !== undefined);
  await end(client, nameOf(first), 0);
  await eventually(
    "a third",
    () => unended(client),
    (found) => found.length === 2 && found.some((pod) => nameOf(pod) !== nameOf(second!)),
  );
  for (const pod of await unended(client)) await end(client, nameOf(pod), 0);
  const done = await over(client);
  assert.deepEqual(conditionsOf(done), {
    SuccessCriteriaMet: "True CompletionsReached",
    Complete: "True CompletionsReached",
  });
  assert.deepEqual(
    { ...done.status, conditions: undefined, startTime: undefined, completionTime: undefined },
    {
      succeeded: 3,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      conditions: undefined,
      startTime: undefined,
      completionTime: undefined,
    },
  );
  assert.ok(done.status?.completionTime !== undefined);
  const kept = await podsOf(client);
  assert.equal(kept.length, 3, "pods stay for their logs");
  assert.deepEqual(
    kept.flatMap(({ metadata }) => metadata.finalizers ?? []),
    [],
  );
  await eventually(
    "the event",
    () => messages(client),
    (said) => said.includes("Completed: Job completed"),
  );
  assert.deepEqual(complaints, []);
});

test("a Job's failures wait twice as long each time, and fail it beyond backoffLimit", async (t) => {
  const { client, clock } = await begin(t, { backoffLimit: 2 });
  const [first] = await waitForPods(client, 1);
  await end(client, nameOf(first!), 1, clock.now());
  for (const [failures, wait] of [10_000, 20_000].entries()) {
    await eventually(
      "the failure",
      () => read(client),
      ({ status }) => status?.failed === failures + 1,
    );
    assert.deepEqual(await unended(client), [], `nothing comes before ${wait} ms have passed`);
    clock.jump(wait - 5000);
    assert.deepEqual(await unended(client), [], `nothing comes before ${wait} ms have passed`);
    clock.jump(6000);
    const [next] = await waitForPods(client, 1);
    await end(client, nameOf(next!), 1, clock.now());
  }
  const failed = await over(client);
  assert.deepEqual(conditionsOf(failed), {
    FailureTarget: "True BackoffLimitExceeded",
    Failed: "True BackoffLimitExceeded",
  });
  assert.equal(failed.status?.failed, 3);
  assert.equal(failed.status?.completionTime, undefined);
  await eventually(
    "the event",
    () => messages(client),
    (said) => said.includes("BackoffLimitExceeded: Job has reached the specified backoff limit"),
  );
});

test("activeDeadlineSeconds ends a Job and its pods", async (t) => {
  const { client, clock } = await begin(t, { activeDeadlineSeconds: 60, parallelism: 2, completions: 2 });
  await waitForPods(client, 2);
  clock.jump(61_000);
  await eventually(
    "the pods to be told",
    () => podsOf(client),
    (found) => found.every(({ metadata }) => metadata.deletionTimestamp !== undefined),
  );
  for (const pod of await podsOf(client)) {
    await client.delete(pods, { namespace: "default", name: nameOf(pod) }, { gracePeriodSeconds: 0 });
  }
  const failed = await over(client);
  assert.equal(conditionsOf(failed)["Failed"], "True DeadlineExceeded");
  assert.equal(failed.status?.failed, 2);
});

test("an Indexed Job has a pod for each index, with its name, hostname, label and variable", async (t) => {
  const { client } = await begin(t, { completionMode: "Indexed", completions: 4, parallelism: 2 });
  const two = await waitForPods(client, 2);
  assert.deepEqual(
    two.map(indexOf).sort((a, b) => Number(a) - Number(b)),
    ["0", "1"],
  );
  const second = two.find((pod) => indexOf(pod) === "1");
  assert.match(nameOf(second!), /^sum-1-[a-z0-9]{5}$/);
  assert.equal(second?.spec?.hostname, "sum-1");
  assert.equal(second?.metadata.labels?.["batch.kubernetes.io/job-completion-index"], "1");
  assert.equal(second?.spec?.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
  await end(client, nameOf(second), 0);
  await eventually(
    "index 2",
    () => unended(client),
    (found) => found.some((pod) => indexOf(pod) === "2"),
  );
  await eventually(
    "the status",
    () => read(client),
    ({ status }) => status?.completedIndexes === "1",
  );
  for (const pod of await unended(client)) await end(client, nameOf(pod), 0);
  for (const pod of await waitForPods(client, 1)) await end(client, nameOf(pod), 0);
  const done = await over(client);
  assert.equal(done.status?.completedIndexes, "0-3");
  assert.equal(done.status?.succeeded, 4);
});

test("a suspended Job has no pods, and its clock starts when it is resumed", async (t) => {
  const { client } = await begin(t, { suspend: true });
  const waiting = await eventually(
    "the condition",
    () => read(client),
    (job) => conditionsOf(job)["Suspended"] === "True JobSuspended",
  );
  assert.equal(waiting.status?.startTime, undefined);
  assert.deepEqual(await podsOf(client), []);
  await client.patch(jobs, AT, "merge", { spec: { suspend: false } });
  await waitForPods(client, 1);
  const resumed = await eventually(
    "the condition",
    () => read(client),
    (job) => conditionsOf(job)["Suspended"] === "False JobResumed",
  );
  assert.ok(resumed.status?.startTime !== undefined);
  await client.patch(jobs, AT, "merge", { spec: { suspend: true } });
  await eventually(
    "its pods to be told",
    () => unended(client),
    (found) => found.length === 0,
  );
  const suspended = await read(client);
  assert.equal(suspended.status?.failed, undefined, "what was suspended has not failed");
});

test("a pod that is deleted is replaced and counts as failed, although it is gone", async (t) => {
  const { client, clock } = await begin(t);
  const [first] = await waitForPods(client, 1);
  await client.delete(pods, { namespace: "default", name: nameOf(first!) }, { gracePeriodSeconds: 0 });
  await eventually(
    "the failure",
    () => read(client),
    ({ status }) => status?.failed === 1,
  );
  clock.jump(11_000);
  const [next] = await waitForPods(client, 1);
  assert.notEqual(nameOf(next!), nameOf(first!));
  await end(client, nameOf(next!), 0);
  assert.equal((await over(client)).status?.succeeded, 1);
});

test("CTL-127: a Job that is over goes with its pods after ttlSecondsAfterFinished", async (t) => {
  const { client, clock } = await begin(t, { ttlSecondsAfterFinished: 100 });
  const [pod] = await waitForPods(client, 1);
  await end(client, nameOf(pod!), 0);
  await over(client);
  clock.jump(50_000);
  assert.equal((await client.list(jobs)).items.length, 1);
  clock.jump(51_000);
  await eventually(
    "the Job to go",
    async () => [(await client.list(jobs)).items.length, (await podsOf(client)).length],
    ([left, ofPods]) => left === 0 && ofPods === 0,
  );
});

test("CTL-127: a Job that is deleted lets its pods go, finalizer and all", async (t) => {
  const { client } = await begin(t, { parallelism: 2, completions: 2 });
  await waitForPods(client, 2);
  await client.delete(jobs, AT, { propagationPolicy: "Background" });
  await eventually(
    "the pods to go",
    () => podsOf(client),
    (found) =>
      found.every(({ metadata }) => metadata.finalizers === undefined && metadata.deletionTimestamp !== undefined),
  );
});

test("controllers that are started anew at any moment lose no pod of a Job and count none twice", async (t) => {
  const { client, restartControllers, restartServer } = await begin(t, { completions: 12, parallelism: 4 });
  for (let round = 0; round < 3; round += 1) {
    for (const pod of await waitForPods(client, 4)) await end(client, nameOf(pod), 0);
    if (round === 1) await restartServer();
    await restartControllers();
  }
  const done = await over(client);
  assert.equal(done.status?.succeeded, 12);
  assert.equal((await podsOf(client)).length, 12);
});
