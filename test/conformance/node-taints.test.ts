import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/*
 * What becomes of a node by what it says of itself, and of the pods on it. Nodes are silent here, which counts only after 50 seconds:
 * a test must be over by then.
 */

let subject: Subject;
before(async () => {
  subject = await startSubject({ controllers: true });
});
after(() => subject.close());

const NODES = "/api/v1/nodes";
const PODS = "/api/v1/namespaces/default/pods";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const STRATEGIC = { headers: { "content-type": "application/strategic-merge-patch+json" } };

const works = async (...of: Parameters<Subject["ask"]>) => {
  const answer = await subject.ask(...of);
  assert.ok(answer.code < 300, answer.text);
  return answer.body;
};
const say = (node: string, type: string, status: string) =>
  works(
    "PATCH",
    `${NODES}/${node}/status`,
    {
      status: {
        conditions: [
          { type, status, reason: "Said", lastHeartbeatTime: new Date().toISOString().replace(/\.\d+/, "") },
        ],
      },
    },
    STRATEGIC,
  );
const taintsOf = async (node: string): Promise<string> => {
  const { spec } = await works("GET", `${NODES}/${node}`);
  return ((spec?.taints ?? []) as { key: string; effect: string }[])
    .map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join();
};
const tainted = (node: string, expected: string): Promise<unknown> => {
  let last = "unknown";
  return until(`${node} to be tainted ${expected}`, async () => (last = await taintsOf(node)) === expected, {
    seconds: 40,
  }).catch(() => assert.equal(last, expected));
};

void test("CTL-117: taints follow cordon and conditions, and pods leave or wait as they tolerate them", async () => {
  for (const name of ["well", "ill"]) {
    await works("POST", NODES, { metadata: { name } });
    await say(name, "Ready", "True");
  }
  await tainted("ill", "");
  await works("PATCH", `${NODES}/ill`, { spec: { unschedulable: true } }, MERGE);
  await tainted("ill", "unschedulable:NoSchedule");
  await works("PATCH", `${NODES}/ill`, { spec: { unschedulable: false } }, MERGE);
  await tainted("ill", "");
  await say("ill", "DiskPressure", "True");
  await tainted("ill", "disk-pressure:NoSchedule");
  await say("ill", "DiskPressure", "False");
  await tainted("ill", "");
  for (const name of ["plain", "steady"]) {
    await works("POST", PODS, {
      metadata: { name },
      spec: {
        nodeName: "ill",
        containers: [{ name: "c", image: "one" }],
        ...(name === "steady" ? { tolerations: [{ key: "work", operator: "Exists" }] } : {}),
      },
    });
    const conditions = [{ type: "Ready", status: "True", reason: "Said" }];
    await works("PATCH", `${PODS}/${name}/status`, { status: { phase: "Running", conditions } }, MERGE);
  }
  await say("ill", "Ready", "False");
  await tainted("ill", "not-ready:NoExecute,not-ready:NoSchedule");
  const conditionOf = async (pod: string, type: string) => {
    const { status } = await works("GET", `${PODS}/${pod}`);
    return (status.conditions as { type: string; status: string; reason?: string; message?: string }[]).find(
      (condition) => condition.type === type,
    );
  };
  assert.equal((await conditionOf("plain", "Ready"))?.status, "True", "a node that speaks, speaks for its pods");
  assert.equal((await works("GET", `${PODS}/plain`)).metadata.deletionTimestamp, undefined, "it has 300 s");
  await say("ill", "Ready", "True");
  await tainted("ill", "");
  const taints = [{ key: "work", effect: "NoExecute" }];
  await works("PATCH", `${NODES}/ill`, { spec: { taints } }, MERGE);
  await until(
    "the pod to be told to end",
    async () => (await works("GET", `${PODS}/plain`)).metadata.deletionTimestamp !== undefined,
  );
  const target = await conditionOf("plain", "DisruptionTarget");
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ["True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"],
  );
  assert.equal((await works("GET", `${PODS}/steady`)).metadata.deletionTimestamp, undefined);
});
