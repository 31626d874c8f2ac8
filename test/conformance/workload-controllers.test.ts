import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { createClient } from "../../src/client/connect.ts";
import type { Client } from "../../src/client/client.ts";
import { playNode } from "../controllers/played-node.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/*
 * What StatefulSets, DaemonSets and disruption budgets come to rest at, word for word. The test plays the nodes: `node-1` and
 * `node-2`, which never say how they are, and are given time for that.
 */

let subject: Subject;
let client: Client;
const cleanups: (() => void)[] = [];
before(async () => {
  subject = await startSubject({ controllers: true });
  client = createClient({ server: `https://127.0.0.1:${subject.port}`, ca: subject.ca, ...subject.admin });
  await playNode({ after: (cleanup) => cleanups.push(cleanup as () => void) }, client, { unbound: true });
  cleanups.push(() => client.close());
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
