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
const TABLE = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const table = async (path: string): Promise<Answered["body"]> => {
  const { code, body, text } = await subject.ask("GET", path, undefined, TABLE);
  assert.equal(code, 200, text);
  return body;
};

for (const [id, path, expected] of [
  [
    "SVC-318",
    `${APPS}/deployments`,
    "Name:string · Ready:string · Up-to-date:string · Available:string · Age:string · Containers(w):string · Images(w):string · Selector(w):string",
  ],
  [
    "SVC-319",
    `${APPS}/replicasets`,
    "Name:string · Desired:integer · Current:integer · Ready:integer · Age:string · Containers(w):string · Images(w):string · Selector(w):string",
  ],
  [
    "SVC-319",
    `${CORE}/replicationcontrollers`,
    "Name:string · Desired:integer · Current:integer · Ready:integer · Age:string · Containers(w):string · Images(w):string · Selector(w):string",
  ],
  [
    "SVC-320",
    `${APPS}/daemonsets`,
    "Name:string · Desired:integer · Current:integer · Ready:integer · Up-to-date:integer · Available:integer · Node Selector:string · Age:string · Containers(w):string · Images(w):string · Selector(w):string",
  ],
  [
    "SVC-321",
    `${APPS}/statefulsets`,
    "Name:string · Ready:string · Age:string · Containers(w):string · Images(w):string",
  ],
  [
    "ControllerRevision",
    `${APPS}/controllerrevisions`,
    "Name:string · Controller:string · Revision:string · Age:string",
  ],
  [
    "Job",
    JOBS,
    "Name:string · Status:string · Completions:string · Duration:string · Age:string · Containers(w):string · Images(w):string · Selector(w):string",
  ],
  [
    "PersistentVolumeClaim",
    `${CORE}/persistentvolumeclaims`,
    "Name:string · Status:string · Volume:string · Capacity:string · Access Modes:string · StorageClass:string · VolumeAttributesClass:string · Age:string · VolumeMode(w):string",
  ],
  [
    "PodDisruptionBudget",
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    "Name:string · Min Available:string · Max Unavailable:string · Allowed Disruptions:integer · Age:string",
  ],
] as const) {
  void test(`${id}: the columns of ${path.split("/").at(-1)}`, async () => {
    const { columnDefinitions } = await table(path);
    const said = columnDefinitions.map(
      ({ name, type, priority }: Answered["body"]) => `${name}${priority === 1 ? "(w)" : ""}:${type}`,
    );
    assert.equal(said.join(" · "), expected);
  });
}

const template = (more: object = {}) => ({
  metadata: { labels: { app: "a", tier: "b" } },
  spec: {
    containers: [
      { name: "one", image: "web:1" },
      { name: "two", image: "log" },
    ],
    ...more,
  },
});
const selector = {
  matchLabels: { tier: "b" },
  matchExpressions: [
    { key: "app", operator: "In", values: ["b", "a"] },
    { key: "old", operator: "DoesNotExist" },
    { key: "app", operator: "Exists" },
  ],
};

/** Cells of an object's row by the names of their columns; times are left out, which are what they are. */
async function cells(path: string, body: object, status?: object): Promise<Record<string, unknown>> {
  const { code, body: object, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  const at = `${path}/${object.metadata.name}`;
  if (status !== undefined) {
    const told = await subject.ask("PATCH", `${at}/status`, { status }, MERGE);
    assert.equal(told.code, 200, told.text);
  }
  const { columnDefinitions, rows } = await table(at);
  const named = columnDefinitions.map((column: { name: string }, index: number) => [column.name, rows[0].cells[index]]);
  return Object.fromEntries(named.filter(([name]: [string]) => name !== "Age"));
}

const wide = { Containers: "one,two", Images: "web:1,log" };

void test("SVC-318, SVC-344: the cells of a Deployment", async () => {
  const body = { metadata: { name: "d" }, spec: { replicas: 3, selector, template: template() } };
  const status = { replicas: 4, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 };
  assert.deepEqual(await cells(`${APPS}/deployments`, body, status), {
    Name: "d",
    Ready: "2/3",
    "Up-to-date": 3,
    Available: 1,
    ...wide,
    Selector: "app in (a,b),app,!old,tier=b",
  });
  const none = { metadata: { name: "none" }, spec: { replicas: 0, selector, template: template() } };
  const shown = await cells(`${APPS}/deployments`, none);
  assert.deepEqual([shown["Ready"], shown["Up-to-date"], shown["Available"]], ["0/0", 0, 0]);
});

void test("SVC-319: the cells of a ReplicaSet and of a ReplicationController", async () => {
  const status = { replicas: 2, readyReplicas: 1 };
  const matchLabels = { tier: "b", app: "a" };
  const set = { metadata: { name: "r" }, spec: { replicas: 3, selector: { matchLabels }, template: template() } };
  const expected = { Name: "r", Desired: 3, Current: 2, Ready: 1, ...wide, Selector: "app=a,tier=b" };
  assert.deepEqual(await cells(`${APPS}/replicasets`, set, status), expected);
  const controller = { metadata: { name: "r" }, spec: { replicas: 3, template: template() } };
  assert.deepEqual(await cells(`${CORE}/replicationcontrollers`, controller, status), expected);
});

void test("SVC-320: the cells of a DaemonSet", async () => {
  const spec = {
    selector: { matchLabels: { app: "a" } },
    template: template({ nodeSelector: { z: "1", disk: "ssd" } }),
  };
  const status = {
    desiredNumberScheduled: 5,
    currentNumberScheduled: 4,
    numberReady: 3,
    updatedNumberScheduled: 2,
    numberAvailable: 1,
    numberMisscheduled: 0,
  };
  assert.deepEqual(await cells(`${APPS}/daemonsets`, { metadata: { name: "d" }, spec }, status), {
    Name: "d",
    Desired: 5,
    Current: 4,
    Ready: 3,
    "Up-to-date": 2,
    Available: 1,
    "Node Selector": "disk=ssd,z=1",
    ...wide,
    Selector: "app=a",
  });
  const anywhere = { selector: { matchLabels: { app: "a" } }, template: template() };
  const shown = await cells(`${APPS}/daemonsets`, { metadata: { name: "anywhere" }, spec: anywhere });
  assert.equal(shown["Node Selector"], "<none>");
});

void test("SVC-321, SVC-344: the cells of a StatefulSet", async () => {
  const spec = { replicas: 3, serviceName: "s", selector: { matchLabels: { app: "a" } }, template: template() };
  const status = { replicas: 2, readyReplicas: 1 };
  const shown = await cells(`${APPS}/statefulsets`, { metadata: { name: "s" }, spec }, status);
  assert.deepEqual(shown, { Name: "s", Ready: "1/3", ...wide });
});

void test("the cells of a Job: what has become of it, how far it is, and how long it has taken", async () => {
  const START = "2026-01-01T00:00:00Z";
  const job = async (name: string, spec: object, status?: object): Promise<unknown[]> => {
    const body = { metadata: { name }, spec: { ...spec, template: template({ restartPolicy: "Never" }) } };
    const shown = await cells(JOBS, body, status);
    return [shown["Status"], shown["Completions"], shown["Duration"]];
  };
  const conditions = (...types: string[]) => types.map((type) => ({ type, status: "True" }));
  assert.deepEqual(await job("new", {}), ["Running", "0/1", ""]);
  assert.deepEqual(await job("queue", { parallelism: 3 }), ["Running", "0/1 of 3", ""]);
  assert.deepEqual(await job("many", { completions: 5 }, { succeeded: 2 }), ["Running", "2/5", ""]);
  const done = {
    startTime: START,
    completionTime: "2026-01-01T00:02:05Z",
    succeeded: 1,
    conditions: conditions("SuccessCriteriaMet", "Complete"),
  };
  assert.deepEqual(await job("done", {}, done), ["Complete", "1/1", "2m5s"]);
  const [status, , duration] = await job(
    "failed",
    {},
    { startTime: START, conditions: conditions("FailureTarget", "Failed") },
  );
  assert.equal(status, "Failed");
  assert.match(String(duration), /^\d+[smhdy]/);
  assert.equal((await job("failing", {}, { conditions: conditions("FailureTarget") }))[0], "FailureTarget");
  assert.equal((await job("still", { suspend: true }, { conditions: conditions("Suspended") }))[0], "Suspended");
});

void test("the cells of a PersistentVolumeClaim, of a PodDisruptionBudget and of a ControllerRevision", async () => {
  const claims = `${CORE}/persistentvolumeclaims`;
  const spec = { accessModes: ["ReadWriteMany", "ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const blank = {
    Status: "Pending",
    Volume: "",
    Capacity: "",
    "Access Modes": "",
    StorageClass: "",
    VolumeAttributesClass: "<unset>",
    VolumeMode: "Filesystem",
  };
  assert.deepEqual(await cells(claims, { metadata: { name: "new" }, spec }), { Name: "new", ...blank });
  const given = { ...spec, volumeName: "v", storageClassName: "fast" };
  const bound = { phase: "Bound", capacity: { storage: "2Gi" }, accessModes: ["ReadWriteMany", "ReadWriteOnce"] };
  assert.deepEqual(await cells(claims, { metadata: { name: "given" }, spec: given }, bound), {
    ...blank,
    Name: "given",
    Status: "Bound",
    Volume: "v",
    Capacity: "2Gi",
    "Access Modes": "RWO,RWX",
    StorageClass: "fast",
  });
  const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
  const budget = (name: string, more: object) => ({ metadata: { name }, spec: more });
  assert.deepEqual(await cells(budgets, budget("least", { minAvailable: 2 }), { disruptionsAllowed: 1 }), {
    Name: "least",
    "Min Available": "2",
    "Max Unavailable": "N/A",
    "Allowed Disruptions": 1,
  });
  const most = await cells(budgets, budget("most", { maxUnavailable: "25%" }));
  assert.deepEqual([most["Min Available"], most["Max Unavailable"]], ["N/A", "25%"]);
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "u", controller: true };
  const revision = (name: string, ownerReferences: object[]) => ({
    metadata: { name, ownerReferences },
    revision: 7,
    data: {},
  });
  const path = `${APPS}/controllerrevisions`;
  assert.deepEqual(await cells(path, revision("of", [owner])), {
    Name: "of",
    Controller: "statefulset.apps/web",
    Revision: 7,
  });
  assert.equal((await cells(path, revision("alone", [])))["Controller"], "<none>");
});

void test("SVC-348, SVC-349: the short names of workloads, and which of them are among all", async () => {
  const named: Record<string, unknown> = {};
  const inAll: string[] = [];
  for (const path of ["/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/policy/v1"]) {
    for (const { name, shortNames, categories } of (await subject.ask("GET", path)).body.resources) {
      named[name] = shortNames;
      if ((categories ?? []).includes("all")) inAll.push(name);
    }
  }
  const expected: Record<string, string[] | undefined> = {
    controllerrevisions: undefined,
    daemonsets: ["ds"],
    deployments: ["deploy"],
    jobs: undefined,
    persistentvolumeclaims: ["pvc"],
    poddisruptionbudgets: ["pdb"],
    replicasets: ["rs"],
    replicationcontrollers: ["rc"],
    statefulsets: ["sts"],
  };
  for (const [name, short] of Object.entries(expected)) assert.deepEqual(named[name], short, name);
  assert.deepEqual(inAll.filter((name) => name !== "cronjobs").sort(), [
    "daemonsets",
    "deployments",
    "jobs",
    "pods",
    "replicasets",
    "replicationcontrollers",
    "services",
    "statefulsets",
  ]);
});

void test("what workloads are selected by beside their names: the number of pods, and of successes", async () => {
  const count = async (path: string, fieldSelector: string): Promise<number> => {
    const { code, body, text } = await subject.ask("GET", `${path}?fieldSelector=${encodeURIComponent(fieldSelector)}`);
    assert.equal(code, 200, text);
    return body.items.length;
  };
  assert.equal(await count(`${CORE}/replicationcontrollers`, "status.replicas=2"), 1);
  assert.equal(await count(JOBS, "status.successful=2"), 1);
  assert.equal(await count(`${APPS}/deployments`, "metadata.name=d"), 1);
  for (const path of [`${APPS}/deployments`, `${APPS}/replicasets`, `${CORE}/persistentvolumeclaims`]) {
    assert.equal((await subject.ask("GET", `${path}?fieldSelector=status.replicas%3D4`)).code, 400, path);
  }
});
