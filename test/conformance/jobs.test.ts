import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Job, Pod } from "../../src/api/generated/types.ts";
import { jobs, namespaces, pods } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import { playNode } from "../controllers/played-node.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/* What Jobs come to rest at, word for word. The test plays the node: it says how pods ended, and ends those that are told to. */

let subject: Subject;
let client: Client;
const cleanups: (() => void)[] = [];
before(async () => {
  subject = await startSubject({ controllers: true });
  client = createClient({ server: `https://127.0.0.1:${subject.port}`, ca: subject.ca, ...subject.admin });
  const node = await playNode({ after: (cleanup) => cleanups.push(cleanup as () => void) }, client, { unbound: true });
  cleanups.push(() => client.close());
  node.turnReady(() => false);
});
after(async () => {
  for (const cleanup of cleanups) cleanup();
  await subject.close();
});

const podsOf = async (name: string): Promise<Pod[]> => (await client.list<Pod>(pods, { namespace: name })).items;

/** Says of a Job's pods how they ended; undefined leaves one as it is. */
async function endPods(name: string, exitCodeOf: (pod: Pod) => number | undefined): Promise<void> {
  for (const pod of await podsOf(name)) {
    const exitCode = exitCodeOf(pod);
    if (exitCode === undefined || pod.status?.phase !== "Pending") continue;
    const finishedAt = new Date().toISOString().replace(/\.\d+/, "");
    const terminated = { exitCode, startedAt: finishedAt, finishedAt };
    const containerStatuses = [
      { name: "c", image: "one", imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ];
    const at = { namespace: name, name: pod.metadata.name ?? "" };
    const status = { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses };
    await client.patch(pods, at, "merge", { status }, { subresource: "status" });
  }
}

const conditionsOf = ({ status }: Job): (string | undefined)[][] =>
  (status?.conditions ?? []).map(({ type, status: said, reason, message }) => [type, said, reason, message]);
const isOver = (job: Job): boolean =>
  conditionsOf(job).some(([type, status]) => (type === "Complete" || type === "Failed") && status === "True");
const countsOf = ({ status }: Job): object => {
  const { conditions: _, startTime: __, completionTime: ___, ...counts } = status ?? {};
  return counts;
};
const isAt = (name: string) => ({ namespace: name, name: "sum" });

async function addJob(name: string, spec: object): Promise<void> {
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await client.create<Job>(jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: isAt(name),
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "one" }] } }, ...spec },
  });
}

async function runJob(name: string, spec: object, exitCodeOf: (pod: Pod) => number | undefined): Promise<Job> {
  await addJob(name, spec);
  return until(`Job ${name} to be over`, async () => {
    await endPods(name, exitCodeOf);
    const job = await client.get<Job>(jobs, isAt(name));
    return isOver(job) && job;
  });
}

void test("CTL-127: a Job that is complete", async () => {
  const job = await runJob("complete", { completions: 3, parallelism: 2 }, () => 0);
  assert.deepEqual(conditionsOf(job), [
    ["SuccessCriteriaMet", "True", "CompletionsReached", "Reached expected number of succeeded pods"],
    ["Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"],
  ]);
  assert.deepEqual(countsOf(job), { ready: 0, succeeded: 3, terminating: 0, uncountedTerminatedPods: {} });
  const [pod] = await podsOf("complete");
  assert.equal(pod?.metadata.finalizers, undefined);
  assert.equal(pod?.metadata.generateName, "sum-");
});

void test("a Job that fails beyond its backoffLimit", async () => {
  const job = await runJob("failed", { backoffLimit: 0 }, () => 3);
  assert.deepEqual(conditionsOf(job), [
    ["FailureTarget", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"],
    ["Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"],
  ]);
  assert.deepEqual(countsOf(job), { failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
});

void test("an Indexed Job with a limit for each index", async () => {
  const spec = { completionMode: "Indexed", completions: 4, parallelism: 4, backoffLimitPerIndex: 0 };
  const indexOf = ({ metadata }: Pod): string =>
    metadata.annotations?.["batch.kubernetes.io/job-completion-index"] ?? "";
  const job = await runJob("indexed", spec, (pod) => (indexOf(pod) === "1" ? 3 : 0));
  assert.deepEqual(conditionsOf(job), [
    ["FailureTarget", "True", "FailedIndexes", "Job has failed indexes"],
    ["Failed", "True", "FailedIndexes", "Job has failed indexes"],
  ]);
  assert.deepEqual(countsOf(job), {
    completedIndexes: "0,2,3",
    failed: 1,
    failedIndexes: "1",
    ready: 0,
    succeeded: 3,
    terminating: 0,
    uncountedTerminatedPods: {},
  });
  const pod = (await podsOf("indexed")).find((one) => indexOf(one) === "2");
  assert.equal(pod?.metadata.generateName, "sum-2-");
  assert.equal(pod?.spec?.hostname, "sum-2");
  assert.equal(pod?.metadata.labels?.["batch.kubernetes.io/job-completion-index"], "2");
  assert.equal(pod?.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"], "0");
  assert.deepEqual(pod?.spec?.containers[0]?.env, [
    {
      name: "JOB_COMPLETION_INDEX",
      valueFrom: {
        fieldRef: {
          apiVersion: "v1",
          fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']",
        },
      },
    },
  ]);
});

void test("a Job whose success policy is met ends the pods that are left", async () => {
  const spec = {
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 1 }] },
  };
  const job = await runJob("successful", spec, (pod) =>
    pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"] === "1" ? 0 : undefined,
  );
  assert.deepEqual(conditionsOf(job), [
    ["SuccessCriteriaMet", "True", "SuccessPolicy", "Matched rules at index 0"],
    ["Complete", "True", "SuccessPolicy", "Matched rules at index 0"],
  ]);
  assert.deepEqual(countsOf(job), {
    completedIndexes: "1",
    ready: 0,
    succeeded: 1,
    terminating: 0,
    uncountedTerminatedPods: {},
  });
});

void test("a Job that its failure policy fails", async () => {
  const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
  const job = await runJob("policy", { podFailurePolicy: { rules } }, () => 42);
  const [type, status, reason, message] = conditionsOf(job)[0] ?? [];
  assert.deepEqual([type, status, reason], ["FailureTarget", "True", "PodFailurePolicy"]);
  assert.match(
    message ?? "",
    /^Container c for pod policy\/sum-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  );
  assert.deepEqual(countsOf(job), { failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
});

void test("a Job that is suspended and resumed", async () => {
  await addJob("suspended", { suspend: true });
  const rests = (what: string, holds: (job: Job) => boolean): Promise<Job> =>
    until(what, async () => {
      const job = await client.get<Job>(jobs, isAt("suspended"));
      return holds(job) && job;
    });
  const suspended = await rests("the condition", ({ status }) => status?.conditions !== undefined);
  assert.deepEqual(conditionsOf(suspended), [["Suspended", "True", "JobSuspended", "Job suspended"]]);
  assert.equal(suspended.status?.startTime, undefined);
  assert.deepEqual(countsOf(suspended), { ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  await client.patch(jobs, isAt("suspended"), "merge", { spec: { suspend: false } });
  const resumed = await rests("a pod", ({ status }) => status?.active === 1);
  assert.deepEqual(conditionsOf(resumed), [["Suspended", "False", "JobResumed", "Job resumed"]]);
  assert.ok(resumed.status?.startTime !== undefined);
  assert.deepEqual(countsOf(resumed), { active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
});
