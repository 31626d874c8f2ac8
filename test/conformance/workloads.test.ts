import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const APPS = "/apis/apps/v1/namespaces/default";
const CORE = "/api/v1/namespaces/default";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const container = { name: "c", image: "i" };
const template = (labels: object = { app: "a" }, spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [container], ...spec },
});
const workload = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: { selector: { matchLabels: { app: "a" } }, template: template(), ...more },
});

async function made(path: string, body: object): Promise<Answered["body"]> {
  const { code, body: object, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  return object;
}

const POD_SPEC = {
  containers: [
    {
      name: "c",
      image: "i",
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: "Always",
    },
  ],
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  dnsPolicy: "ClusterFirst",
  securityContext: {},
  schedulerName: "default-scheduler",
};
const TEMPLATE = { metadata: { labels: { app: "a" } }, spec: POD_SPEC };
const SELECTOR = { matchLabels: { app: "a" } };

void test("what a workload's writer leaves out is filled in, and its status is empty", async () => {
  const deployment = await made(`${APPS}/deployments`, { ...workload("defaults"), status: { replicas: 3 } });
  assert.deepEqual(deployment.spec, {
    replicas: 1,
    selector: SELECTOR,
    template: TEMPLATE,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  assert.deepEqual([deployment.status, deployment.metadata.generation], [{}, 1]);
  const replicaSet = await made(`${APPS}/replicasets`, { ...workload("defaults"), status: { replicas: 3 } });
  assert.deepEqual(replicaSet.spec, { replicas: 1, selector: SELECTOR, template: TEMPLATE });
  assert.deepEqual([replicaSet.status, replicaSet.metadata.generation], [{ replicas: 0 }, 1]);
  const daemonSet = await made(`${APPS}/daemonsets`, workload("defaults"));
  assert.deepEqual(daemonSet.spec, {
    selector: SELECTOR,
    template: TEMPLATE,
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
  });
  assert.deepEqual(daemonSet.status, {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  });
  const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } };
  const resources = { requests: { storage: "1Gi" } };
  const claimSpec = { ...claim.spec, resources };
  const statefulSet = await made(
    `${APPS}/statefulsets`,
    workload("defaults", { serviceName: "s", volumeClaimTemplates: [{ ...claim, spec: claimSpec }] }),
  );
  assert.deepEqual(statefulSet.spec, {
    replicas: 1,
    selector: SELECTOR,
    template: TEMPLATE,
    volumeClaimTemplates: [
      {
        kind: "PersistentVolumeClaim",
        apiVersion: "v1",
        metadata: { name: "data" },
        spec: { ...claimSpec, volumeMode: "Filesystem" },
        status: { phase: "Pending" },
      },
    ],
    serviceName: "s",
    podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  });
  assert.deepEqual(statefulSet.status, { replicas: 0, availableReplicas: 0 });
  const controller = await made(`${CORE}/replicationcontrollers`, {
    metadata: { name: "defaults" },
    spec: { template: template() },
  });
  assert.deepEqual(controller.metadata.labels, { app: "a" });
  assert.deepEqual(controller.spec, { replicas: 1, selector: { app: "a" }, template: TEMPLATE });
  assert.deepEqual(controller.status, { replicas: 0 });
  const made1 = await made(`${CORE}/persistentvolumeclaims`, { ...claim, spec: claimSpec });
  assert.deepEqual(made1.spec, { ...claimSpec, volumeMode: "Filesystem" });
  assert.deepEqual(made1.status, { phase: "Pending" });
  const budget = await made(BUDGETS, { metadata: { name: "defaults" }, spec: { minAvailable: 1, selector: SELECTOR } });
  assert.deepEqual(budget.spec, { minAvailable: 1, selector: SELECTOR });
  assert.deepEqual(budget.status, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 });
});

void test("a Job has a selector of its own, and labels in its template and of itself that go with it", async () => {
  const job = await made(JOBS, {
    metadata: { name: "once" },
    spec: { template: { spec: { containers: [container], restartPolicy: "Never" } } },
  });
  const { uid } = job.metadata;
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": "once",
    "controller-uid": uid,
    "job-name": "once",
  };
  assert.deepEqual(job.spec, {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": uid } },
    manualSelector: false,
    template: { metadata: { labels }, spec: { ...POD_SPEC, restartPolicy: "Never" } },
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: "TerminatingOrFailed",
  });
  assert.deepEqual([job.status, job.metadata.labels, job.metadata.generation], [{}, labels, 1]);
  const labelled = await made(JOBS, {
    metadata: { name: "labelled" },
    spec: { template: { metadata: { labels: { a: "b" } }, spec: { containers: [container], restartPolicy: "Never" } } },
  });
  assert.deepEqual(labelled.metadata.labels, labelled.spec.template.metadata.labels);
  assert.equal(labelled.metadata.labels.a, "b");
});

void test("the generation moves with the spec, and a Deployment's with its annotations; the status moves nothing", async () => {
  const path = `${APPS}/deployments/generations`;
  await made(`${APPS}/deployments`, workload("generations"));
  const patch = async (body: object, below = ""): Promise<Answered["body"]> => {
    const { code, body: object, text } = await subject.ask("PATCH", path + below, body, MERGE);
    assert.equal(code, 200, text);
    return object;
  };
  assert.equal((await patch({ metadata: { labels: { a: "b" } } })).metadata.generation, 1);
  assert.equal((await patch({ metadata: { annotations: { a: "b" } } })).metadata.generation, 2);
  assert.equal((await patch({ spec: { paused: true } })).metadata.generation, 3);
  const told = await patch(
    { metadata: { labels: { a: "c" }, annotations: { a: "c" } }, spec: { replicas: 9 }, status: { replicas: 5 } },
    "/status",
  );
  assert.deepEqual(
    [told.metadata.generation, told.metadata.labels, told.metadata.annotations, told.spec.replicas, told.status],
    [3, { a: "b" }, { a: "c" }, 1, { replicas: 5 }],
  );
  assert.deepEqual((await patch({ status: null })).status, { replicas: 5 });
});

void test("whose dependents stay when a deletion says nothing of them: those of Jobs and ReplicationControllers", async () => {
  await made(`${CORE}/replicationcontrollers`, { metadata: { name: "gone" }, spec: { template: template() } });
  await made(JOBS, {
    metadata: { name: "gone" },
    spec: { template: { spec: { containers: [container], restartPolicy: "Never" } } },
  });
  await made(`${APPS}/deployments`, workload("gone"));
  const left = async (path: string): Promise<unknown> => {
    await subject.ask("DELETE", path);
    const { code, body } = await subject.ask("GET", path);
    return code === 404 ? "gone" : body.metadata.finalizers;
  };
  assert.deepEqual(await left(`${CORE}/replicationcontrollers/gone`), ["orphan"]);
  assert.deepEqual(await left(`${JOBS}/gone`), ["orphan"]);
  assert.equal(await left(`${APPS}/deployments/gone`), "gone");
});

for (const [plural, path, selector] of [
  ["deployments", APPS, "app=a"],
  ["replicasets", APPS, "app=a"],
  ["statefulsets", APPS, "app=a"],
  ["replicationcontrollers", CORE, "app=a"],
] as const) {
  void test(`${plural}/scale: read, put and patched, by the rules for the object itself`, async () => {
    const isController = plural === "replicationcontrollers";
    const body = isController
      ? { metadata: { name: "scaled" }, spec: { template: template() } }
      : workload("scaled", plural === "statefulsets" ? { serviceName: "s" } : {});
    const object = await made(`${path}/${plural}`, body);
    const at = `${path}/${plural}/scaled`;
    const { uid, resourceVersion, creationTimestamp } = object.metadata;
    const { body: found } = await subject.ask("GET", `${at}/scale`);
    assert.deepEqual(found, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "scaled", namespace: "default", uid, resourceVersion, creationTimestamp },
      spec: { replicas: 1 },
      status: { replicas: 0, selector },
    });
    const put = await subject.ask("PUT", `${at}/scale?fieldManager=hand`, { ...found, spec: { replicas: 3 } });
    assert.equal(put.code, 200, put.text);
    assert.deepEqual([put.body.kind, put.body.spec, put.body.status.replicas], ["Scale", { replicas: 3 }, 0]);
    const now = (await subject.ask("GET", at)).body;
    assert.deepEqual([now.spec.replicas, now.metadata.generation], [3, 2]);
    assert.deepEqual(
      now.metadata.managedFields
        .filter(({ manager }: { manager: string }) => manager === "hand")
        .map(({ subresource, fieldsV1 }: Answered["body"]) => [subresource, fieldsV1]),
      [["scale", { "f:spec": { "f:replicas": {} } }]],
    );
    const stale = await subject.ask("PUT", `${at}/scale`, { ...found, spec: { replicas: 4 } });
    assert.deepEqual([stale.code, stale.body.reason], [409, "Conflict"], stale.text);
    const strategic = { headers: { "content-type": "application/strategic-merge-patch+json" } };
    const none = await subject.ask("PATCH", `${at}/scale`, { spec: { replicas: 0 } }, strategic);
    assert.deepEqual([none.code, none.body.spec], [200, {}], none.text);
    const negative = await subject.ask("PATCH", `${at}/scale`, { spec: { replicas: -1 } }, MERGE);
    assert.equal(negative.code, 422);
    assert.equal(
      negative.body.message,
      'Scale.autoscaling "scaled" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    const other = await subject.ask("PUT", `${at}/scale`, { metadata: { name: "scaled", uid: "x" }, spec: {} });
    assert.equal(other.code, 409, other.text);
    assert.match(other.body.message, /Precondition failed: UID in precondition: x, UID in object meta: /);
    const missing = await subject.ask("GET", `${path}/${plural}/missing/scale`);
    assert.deepEqual([missing.code, missing.body.details.kind], [404, plural]);
    const asTable = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
    const { body: shown } = await subject.ask("GET", `${at}/scale`, undefined, asTable);
    assert.deepEqual(
      shown.columnDefinitions.map(({ name }: { name: string }) => name),
      ["Name", "Desired", "Available", "Age"],
    );
    assert.deepEqual(shown.rows[0].cells.slice(0, 3), ["scaled", 0, 0]);
  });
}
