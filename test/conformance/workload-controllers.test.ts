import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { createClient } from "../../src/client/connect.ts";
import type { Client } from "../../src/client/client.ts";
import { playNode, type PlayedNode } from "../controllers/played-node.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/*
 * What StatefulSets, DaemonSets, Jobs and disruption budgets come to rest at, word for word. The test plays the nodes: `node-1` and
 * `node-2`, which never say how they are, and are given time for that.
 */

let subject: Subject;
let node: PlayedNode;
let client: Client;
const cleanups: (() => void)[] = [];
before(async () => {
  subject = await startSubject({ controllers: true });
  client = createClient({ server: `https://127.0.0.1:${subject.port}`, ca: subject.ca, ...subject.admin });
  node = await playNode({ after: (cleanup) => cleanups.push(cleanup as () => void) }, client, { unbound: true });
  cleanups.push(() => client.close());
  node.turnReady(({ metadata }) => metadata.labels?.["batch.kubernetes.io/job-name"] === undefined);
});
after(async () => {
  for (const cleanup of cleanups) cleanup();
  await subject.close();
});

const create = async (path: string, object: object): Promise<void> => {
  const { code, text } = await subject.ask("POST", path, object);
  assert.equal(code, 201, text);
};
// oxlint-disable-next-line typescript/no-explicit-any -- what the server answers is looked into
const read = async (path: string): Promise<any> => (await subject.ask("GET", path)).body;
const namespace = (name: string): Promise<void> => create("/api/v1/namespaces", { metadata: { name } });
// oxlint-disable-next-line typescript/no-explicit-any -- the same
async function rest(what: string, path: string, holds: (object: any) => boolean | Promise<boolean>): Promise<any> {
  await until(what, async () => holds(await read(path)));
  return read(path);
}
const patch = async (path: string, body: object): Promise<void> => {
  const headers = { "content-type": "application/merge-patch+json" };
  const { code, text } = await subject.ask("PATCH", path, body, { headers });
  assert.equal(code, 200, text);
};

const template = (app: string, image = "one", more: object = {}): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "c", image }], ...more },
});
const podsOf = async (name: string): Promise<Pod[]> =>
  ((await read(`/api/v1/namespaces/${name}/pods`)).items as Pod[]).sort((a, b) =>
    (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1,
  );

void test("CTL-125: a StatefulSet's pods, revisions, claims and status", async () => {
  await namespace("sets");
  const root = "/apis/apps/v1/namespaces/sets";
  const path = `${root}/statefulsets/web`;
  await create(`${root}/statefulsets`, {
    metadata: { name: "web", annotations: { note: "kept" } },
    spec: {
      replicas: 2,
      serviceName: "nginx",
      ordinals: { start: 3 },
      selector: { matchLabels: { app: "web" } },
      template: template("web"),
      volumeClaimTemplates: [
        {
          metadata: { name: "data", labels: { tier: "gold" } },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  });
  const { status, metadata } = await rest("both pods", path, (set) => set.status?.availableReplicas === 2);
  const { currentRevision, updateRevision, ...counts } = status;
  assert.equal(currentRevision, updateRevision);
  assert.match(updateRevision, /^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    currentReplicas: 2,
    updatedReplicas: 2,
    collisionCount: 0,
  });
  const made = await podsOf("sets");
  assert.deepEqual(
    made.map((pod) => pod.metadata.name),
    ["web-3", "web-4"],
  );
  assert.deepEqual(made[0]?.metadata.labels, {
    app: "web",
    "apps.kubernetes.io/pod-index": "3",
    "controller-revision-hash": updateRevision,
    "statefulset.kubernetes.io/pod-name": "web-3",
  });
  assert.equal(made[0]?.metadata.generateName, "web-");
  assert.deepEqual([made[0]?.spec?.hostname, made[0]?.spec?.subdomain], ["web-3", "nginx"]);
  assert.deepEqual(made[0]?.spec?.volumes?.[0], { name: "data", persistentVolumeClaim: { claimName: "data-web-3" } });
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: metadata.uid };
  assert.deepEqual(made[0]?.metadata.ownerReferences, [{ ...owner, controller: true, blockOwnerDeletion: true }]);
  const claim = await read("/api/v1/namespaces/sets/persistentvolumeclaims/data-web-4");
  assert.deepEqual(claim.metadata.labels, { app: "web", tier: "gold" });
  assert.deepEqual(claim.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  assert.equal(claim.metadata.ownerReferences, undefined);
  const { items } = await read(`${root}/controllerrevisions`);
  const [revision] = items;
  assert.equal(items.length, 1);
  assert.equal(revision.metadata.name, updateRevision);
  assert.equal(revision.revision, 1);
  assert.deepEqual(revision.metadata.labels, {
    app: "web",
    "controller.kubernetes.io/hash": updateRevision.slice("web-".length),
  });
  assert.deepEqual(revision.metadata.annotations, { note: "kept" });
  assert.equal(revision.data.spec.template.$patch, "replace");
  assert.equal(revision.data.spec.template.spec.containers[0].image, "one");

  await patch(path, { spec: { template: template("web", "two") } });
  const updated = await rest(
    "the update",
    path,
    (set) =>
      set.status.observedGeneration === set.metadata.generation &&
      set.status.updatedReplicas === 2 &&
      set.status.availableReplicas === 2 &&
      set.status.currentRevision === set.status.updateRevision,
  );
  assert.notEqual(updated.status.updateRevision, updateRevision);
  await patch(path, { spec: { template: template("web") } });
  const back = await rest("the old one", path, (set) => set.status.currentRevision === updateRevision);
  assert.equal(back.status.updateRevision, updateRevision);
  const history = (await read(`${root}/controllerrevisions`)).items;
  assert.deepEqual(
    // oxlint-disable-next-line typescript/no-explicit-any -- the same
    history.map((one: any) => one.revision).sort((a: number, b: number) => a - b),
    [2, 3],
  );
});

void test("CTL-126: a DaemonSet's pods, revisions and status", async () => {
  for (const name of ["node-1", "node-2"]) await create("/api/v1/nodes", { metadata: { name } });
  // A node that has said nothing yet is not ready; its daemons come all the same.
  await namespace("daemons");
  const root = "/apis/apps/v1/namespaces/daemons";
  await create(`${root}/daemonsets`, {
    metadata: { name: "agent" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: template("agent", "one", { tolerations: [{ operator: "Exists" }] }),
    },
  });
  const { status } = await rest("both pods", `${root}/daemonsets/agent`, (set) => set.status?.numberAvailable === 2);
  assert.deepEqual(status, {
    currentNumberScheduled: 2,
    desiredNumberScheduled: 2,
    numberAvailable: 2,
    numberMisscheduled: 0,
    numberReady: 2,
    observedGeneration: 1,
    updatedNumberScheduled: 2,
  });
  const [revision] = (await read(`${root}/controllerrevisions`)).items;
  const hash = revision.metadata.labels["controller-revision-hash"];
  assert.equal(revision.metadata.name, `agent-${hash}`);
  assert.deepEqual(revision.metadata.labels, { app: "agent", "controller-revision-hash": hash });
  const made = await podsOf("daemons");
  assert.deepEqual(made[0]?.metadata.labels, {
    app: "agent",
    "controller-revision-hash": hash,
    "pod-template-generation": "1",
  });
  assert.deepEqual(
    made
      .map(({ spec }) => spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
      .map((required) => required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? "")
      .sort((a, b) => (a < b ? -1 : 1)),
    ["node-1", "node-2"],
  );
  const { tolerations = [] } = made[0]?.spec ?? {};
  assert.deepEqual(
    tolerations.filter(({ key }) => key !== undefined).map(({ key, effect, operator }) => [key, effect, operator]),
    [
      ["node.kubernetes.io/not-ready", "NoExecute", "Exists"],
      ["node.kubernetes.io/unreachable", "NoExecute", "Exists"],
      ["node.kubernetes.io/disk-pressure", "NoSchedule", "Exists"],
      ["node.kubernetes.io/memory-pressure", "NoSchedule", "Exists"],
      ["node.kubernetes.io/pid-pressure", "NoSchedule", "Exists"],
      ["node.kubernetes.io/unschedulable", "NoSchedule", "Exists"],
    ],
  );
});

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
    await patch(`/api/v1/namespaces/${name}/pods/${pod.metadata.name ?? ""}/status`, {
      status: { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses },
    });
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- the same
const conditionsOf = (job: any): string[][] =>
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  (job.status?.conditions ?? []).map(({ type, status, reason, message }: any) => [type, status, reason, message]);
// oxlint-disable-next-line typescript/no-explicit-any -- the same
const isOver = (job: any): boolean =>
  conditionsOf(job).some(([type, status]) => (type === "Complete" || type === "Failed") && status === "True");
// oxlint-disable-next-line typescript/no-explicit-any -- the same
const countsOf = ({ status }: any): object => {
  const { conditions: _, startTime: __, completionTime: ___, ...counts } = status;
  return counts;
};

async function runJob(
  name: string,
  spec: object,
  exitCodeOf: (pod: Pod) => number | undefined,
  pod: object = {},
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
): Promise<any> {
  await namespace(name);
  await create(`/apis/batch/v1/namespaces/${name}/jobs`, {
    metadata: { name: "sum" },
    spec: {
      template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "one" }], ...pod } },
      ...spec,
    },
  });
  return rest(`Job ${name} to be over`, `/apis/batch/v1/namespaces/${name}/jobs/sum`, async (job) => {
    await endPods(name, exitCodeOf);
    return isOver(job);
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
  const [[type, status, reason, message]] = conditionsOf(job) as [string[]];
  assert.deepEqual([type, status, reason], ["FailureTarget", "True", "PodFailurePolicy"]);
  assert.match(
    message ?? "",
    /^Container c for pod policy\/sum-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  );
  assert.deepEqual(countsOf(job), { failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
});

void test("a Job that is suspended and resumed", async () => {
  await namespace("suspended");
  const path = "/apis/batch/v1/namespaces/suspended/jobs/sum";
  await create("/apis/batch/v1/namespaces/suspended/jobs", {
    metadata: { name: "sum" },
    spec: {
      suspend: true,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "one" }] } },
    },
  });
  const suspended = await rest("the condition", path, (job) => job.status?.conditions !== undefined);
  assert.deepEqual(conditionsOf(suspended), [["Suspended", "True", "JobSuspended", "Job suspended"]]);
  assert.equal(suspended.status.startTime, undefined);
  assert.deepEqual(countsOf(suspended), { ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  await patch(path, { spec: { suspend: false } });
  const resumed = await rest("a pod", path, (job) => job.status?.active === 1);
  assert.deepEqual(conditionsOf(resumed), [["Suspended", "False", "JobResumed", "Job resumed"]]);
  assert.ok(resumed.status.startTime !== undefined);
  assert.deepEqual(countsOf(resumed), { active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
});

void test("a disruption budget's status over a StatefulSet", async () => {
  const path = "/apis/policy/v1/namespaces/sets/poddisruptionbudgets/web";
  await create("/apis/policy/v1/namespaces/sets/poddisruptionbudgets", {
    metadata: { name: "web" },
    spec: { maxUnavailable: "50%", selector: { matchLabels: { app: "web" } } },
  });
  const { status } = await rest("one to be allowed", path, (budget) => budget.status?.disruptionsAllowed === 1);
  const conditions = (status.conditions as Record<string, unknown>[]).map((condition) => ({
    ...condition,
    lastTransitionTime: undefined,
  }));
  assert.deepEqual(
    { ...status, conditions },
    {
      conditions: [
        {
          type: "DisruptionAllowed",
          status: "True",
          reason: "SufficientPods",
          message: "",
          observedGeneration: 1,
          lastTransitionTime: undefined,
        },
      ],
      currentHealthy: 2,
      desiredHealthy: 1,
      disruptionsAllowed: 1,
      expectedPods: 2,
      observedGeneration: 1,
    },
  );
});
