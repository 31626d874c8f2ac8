import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const PODS = "/api/v1/namespaces/default/pods";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const READY = { type: "Ready", status: "True" };

async function made(path: string, body: object, status?: object): Promise<Answered["body"]> {
  const { code, body: object, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  if (status === undefined) return object;
  const changed = await subject.ask("PATCH", `${path}/${object.metadata.name}/status`, { status }, MERGE);
  assert.equal(changed.code, 200, changed.text);
  return changed.body;
}

/** A pod of an app, on a node that is not there: deleted, it stays until somebody says that it has ended. */
const pod = (name: string, app: string, status: object = { phase: "Running", conditions: [READY] }) =>
  made(
    PODS,
    {
      metadata: { name, labels: { app } },
      spec: { nodeName: "nowhere", automountServiceAccountToken: false, containers: [{ name: "c", image: "i" }] },
    },
    status,
  );

/** A budget of an app, as its controller has left it. */
const budget = (app: string, status: object, spec: object = {}) =>
  made(
    BUDGETS,
    { metadata: { name: app }, spec: { minAvailable: 1, selector: { matchLabels: { app } }, ...spec } },
    { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status },
  );

const evict = (name: string, more: object = {}, query = ""): Promise<Answered> =>
  subject.ask("POST", `${PODS}/${name}/eviction${query}`, {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name },
    ...more,
  });

const find = async (path: string): Promise<Answered["body"]> => (await subject.ask("GET", path)).body;

/** What is said of a refused eviction: the code, the cause, and after how many seconds to ask again. */
async function refusal(name: string): Promise<unknown[]> {
  const { code, body, headers } = await evict(name);
  assert.equal(body.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  assert.deepEqual([body.reason, body.details.causes.length], ["TooManyRequests", 1]);
  assert.equal((await find(`${PODS}/${name}`)).metadata.deletionTimestamp, undefined);
  const [{ reason, message }] = body.details.causes;
  return [code, reason, message, body.details.retryAfterSeconds, headers["retry-after"]];
}

void test("an evicted pod is deleted, and says why", async () => {
  await pod("free", "free");
  const { code, body, text } = await evict("free", { deleteOptions: { gracePeriodSeconds: 7 } });
  assert.equal(code, 201, text);
  assert.deepEqual([body.kind, body.status, body.code], ["Status", "Success", 201]);
  const { metadata, status } = await find(`${PODS}/free`);
  assert.equal(metadata.deletionGracePeriodSeconds, 7);
  const { lastTransitionTime, ...why } = status.conditions.find(
    ({ type }: { type: string }) => type === "DisruptionTarget",
  );
  assert.match(lastTransitionTime, /^\d{4}-/);
  assert.deepEqual(
    { ...why, lastProbeTime: null },
    {
      type: "DisruptionTarget",
      status: "True",
      lastProbeTime: null,
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    },
  );
  const other = await evict("free", { metadata: { name: "other" } });
  assert.deepEqual([other.code, other.body.message], [400, "name in URL does not match name in Eviction object"]);
  assert.equal((await evict("missing")).code, 404);
});

void test("an eviction takes one disruption from the budget, and the last one ends them", async () => {
  await budget("spent", { disruptionsAllowed: 2, currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 });
  for (const name of ["s1", "s2", "s3"]) await pod(name, "spent");
  assert.equal((await evict("s1", {}, "?dryRun=All")).code, 201);
  assert.equal((await find(`${BUDGETS}/spent`)).status.disruptionsAllowed, 2);
  assert.equal((await evict("s1")).code, 201);
  const one = (await find(`${BUDGETS}/spent`)).status;
  assert.deepEqual([one.disruptionsAllowed, Object.keys(one.disruptedPods), one.conditions], [1, ["s1"], undefined]);
  assert.equal((await evict("s2")).code, 201);
  const { status, metadata } = await find(`${BUDGETS}/spent`);
  assert.deepEqual([status.disruptionsAllowed, Object.keys(status.disruptedPods).sort()], [0, ["s1", "s2"]]);
  const [{ lastTransitionTime, ...condition }] = status.conditions;
  assert.match(lastTransitionTime, /^\d{4}-/);
  assert.deepEqual(condition, {
    type: "DisruptionAllowed",
    status: "False",
    observedGeneration: 1,
    reason: "InsufficientPods",
    message: "",
  });
  assert.equal(metadata.generation, 1);
  assert.deepEqual(
    metadata.managedFields
      .filter(({ manager }: { manager: string }) => manager === "kube-apiserver")
      .map(({ operation, subresource }: Answered["body"]) => [operation, subresource]),
    [["Update", "status"]],
  );
  const message = "The disruption budget spent does not allow evicting pods currently";
  assert.deepEqual(await refusal("s3"), [429, "DisruptionBudget", message, undefined, undefined]);
  // One that is going already costs nothing.
  assert.equal((await evict("s1")).code, 201);
});

void test("of many evictions at once no more get through than the budget allows", async () => {
  await budget("race", { disruptionsAllowed: 3, currentHealthy: 9, desiredHealthy: 6, expectedPods: 9 });
  const names = Array.from({ length: 9 }, (_, index) => `r${index}`);
  for (const name of names) await pod(name, "race");
  const codes = (await Promise.all(names.map((name) => evict(name)))).map(({ code }) => code);
  assert.deepEqual(
    codes.toSorted((a, b) => a - b),
    [201, 201, 201, 429, 429, 429, 429, 429, 429],
  );
  const { status } = await find(`${BUDGETS}/race`);
  const going = names.filter((_, index) => codes[index] === 201);
  assert.deepEqual([status.disruptionsAllowed, Object.keys(status.disruptedPods).sort()], [0, going]);
});

void test("a budget that allows nothing says what it is short of", async () => {
  await budget("short", { currentHealthy: 1, desiredHealthy: 2, expectedPods: 2 });
  await pod("short", "short");
  const short = "The disruption budget short needs 2 healthy pods and has 1 currently";
  assert.deepEqual(await refusal("short"), [429, "DisruptionBudget", short, undefined, undefined]);
  await budget("unseen", { observedGeneration: 0, disruptionsAllowed: 1 });
  await pod("unseen", "unseen");
  const unseen = "The disruption budget unseen is still being processed by the server.";
  assert.deepEqual(await refusal("unseen"), [429, "DisruptionBudget", unseen, 10, "10"]);
  const conditions = [
    {
      type: "DisruptionAllowed",
      status: "False",
      reason: "SyncFailed",
      message: "no scale",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ];
  await budget("failed", { conditions });
  await pod("failed", "failed");
  const failed = "The disruption budget failed does not allow evicting pods currently because it failed sync: no scale";
  assert.deepEqual(await refusal("failed"), [429, "DisruptionBudget", failed, undefined, undefined]);
});

void test("a pod that is not ready goes when that takes nothing from those that are, or when its budget always lets it", async () => {
  const unready = { phase: "Running", conditions: [{ type: "Ready", status: "False" }] };
  await budget("healthy", { currentHealthy: 2, desiredHealthy: 2, expectedPods: 3 });
  await pod("healthy", "healthy", unready);
  assert.equal((await evict("healthy")).code, 201);
  assert.equal((await find(`${BUDGETS}/healthy`)).status.disruptedPods, undefined);
  await budget("sick", { currentHealthy: 1, desiredHealthy: 2, expectedPods: 3 });
  await pod("sick", "sick", unready);
  assert.equal((await refusal("sick"))[2], "The disruption budget sick needs 2 healthy pods and has 1 currently");
  await budget("always", { currentHealthy: 1, desiredHealthy: 2 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" });
  await pod("always", "always", unready);
  assert.equal((await evict("always")).code, 201);
  await pod("ready", "always");
  assert.equal((await refusal("ready"))[0], 429);
});

void test("pods that have ended, or have not begun, cost nothing", async () => {
  await budget("ended", { currentHealthy: 1, desiredHealthy: 2 });
  for (const phase of ["Succeeded", "Failed", "Pending"]) {
    const name = `phase-${phase.toLowerCase()}`;
    await pod(name, "ended", { phase });
    assert.equal((await evict(name)).code, 201, phase);
  }
});

void test("a pod with two budgets is not evicted, and a budget of another app has no say", async () => {
  await budget("two-a", { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 });
  await budget("two-b", { disruptionsAllowed: 1 }, { selector: { matchLabels: { app: "two-a" } } });
  await pod("two", "two-a");
  const { code, body } = await evict("two");
  assert.deepEqual(
    [code, body.status, body.code, body.message],
    [
      500,
      "Failure",
      500,
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    ],
  );
  assert.equal((await find(`${PODS}/two`)).metadata.deletionTimestamp, undefined);
  await pod("elsewhere", "elsewhere");
  assert.equal((await evict("elsewhere")).code, 201);
});

void test("preconditions hold for an eviction as for a deletion", async () => {
  await pod("meant", "meant");
  const { code, body } = await evict("meant", { deleteOptions: { preconditions: { uid: "other" } } });
  assert.deepEqual([code, body.reason], [409, "Conflict"]);
  assert.match(body.message, /the UID in the precondition \(other\) does not match the UID in record/);
});
