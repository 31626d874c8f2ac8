import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";
const STRATEGIC = { headers: { "content-type": "application/strategic-merge-patch+json" } };
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const JSON_PATCH = { headers: { "content-type": "application/json-patch+json" } };
const APPLY = { headers: { "content-type": "application/apply-patch+yaml" } };

const deployment = (name: string, more: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    ...more,
  },
});
async function made(path: string, body: object): Promise<Answered["body"]> {
  const { code, body: object, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
  return object;
}
const patched = async (path: string, body: unknown, options = STRATEGIC): Promise<Answered["body"]> => {
  const { code, body: object, text } = await subject.ask("PATCH", path, body, options);
  assert.equal(code, 200, text);
  return object;
};

void test("a strategic merge patch reaches into the template: containers by name, their variables and ports too", async () => {
  await made(DEPLOYMENTS, deployment("merged"));
  const container = { name: "c", env: [{ name: "A", value: "1" }], ports: [{ containerPort: 80 }] };
  await patched(`${DEPLOYMENTS}/merged`, { spec: { template: { spec: { containers: [container] } } } });
  const more = { name: "c", env: [{ name: "B", value: "2" }], ports: [{ containerPort: 81, name: "b" }] };
  const containers = [more, { name: "d", image: "j" }];
  const { spec } = await patched(`${DEPLOYMENTS}/merged`, { spec: { template: { spec: { containers } } } });
  const found = new Map<string, Answered["body"]>(
    spec.template.spec.containers.map((container: Answered["body"]) => [container.name, container]),
  );
  assert.deepEqual([found.size, found.get("c").image, found.get("d").image], [2, "i", "j"]);
  const c = found.get("c");
  assert.deepEqual(c.env.map(({ name }: { name: string }) => name).sort(), ["A", "B"]);
  assert.deepEqual(c.ports.map(({ containerPort }: { containerPort: number }) => containerPort).sort(), [80, 81]);
});

void test("another strategy is patched in when the patch says what of the old one is kept", async () => {
  await made(DEPLOYMENTS, deployment("strategy"));
  const refused = await subject.ask(
    "PATCH",
    `${DEPLOYMENTS}/strategy`,
    { spec: { strategy: { type: "Recreate" } } },
    STRATEGIC,
  );
  assert.equal(refused.code, 422);
  assert.match(
    refused.body.message,
    /spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'/,
  );
  const strategy = { $retainKeys: ["type"], type: "Recreate" };
  const { spec } = await patched(`${DEPLOYMENTS}/strategy`, { spec: { strategy } });
  assert.deepEqual(spec.strategy, { type: "Recreate" });
});

void test("the selector of a budget is replaced by a strategic merge patch, and merged by a merge patch", async () => {
  await made(BUDGETS, { metadata: { name: "b" }, spec: { minAvailable: 1, selector: { matchLabels: { a: "1" } } } });
  const matchLabels = { b: "2" };
  const replaced = await patched(`${BUDGETS}/b`, { spec: { selector: { matchLabels } } });
  assert.deepEqual(replaced.spec.selector, { matchLabels });
  const merged = await patched(`${BUDGETS}/b`, { spec: { selector: { matchLabels: { c: "3" } } } }, MERGE);
  assert.deepEqual(merged.spec.selector, { matchLabels: { b: "2", c: "3" } });
});

void test("conditions of a workload are merged by type", async () => {
  await made(DEPLOYMENTS, deployment("conditions"));
  const at = `${DEPLOYMENTS}/conditions/status`;
  const one = (type: string, status: string) => ({ type, status, reason: "R", message: "" });
  await patched(at, { status: { conditions: [one("Available", "False"), one("Progressing", "True")] } });
  const { status } = await patched(at, { status: { conditions: [one("Available", "True")] } });
  const said = Object.fromEntries(status.conditions.map((each: Answered["body"]) => [each.type, each.status]));
  assert.deepEqual(said, { Available: "True", Progressing: "True" });
});

void test("a JSON patch changes the replicas, also through scale", async () => {
  await made(DEPLOYMENTS, deployment("json", { replicas: 2 }));
  const set = (value: number) => [{ op: "replace", path: "/spec/replicas", value }];
  assert.equal((await patched(`${DEPLOYMENTS}/json`, set(3), JSON_PATCH)).spec.replicas, 3);
  assert.equal((await patched(`${DEPLOYMENTS}/json/scale`, set(4), JSON_PATCH)).spec.replicas, 4);
  const test4 = [{ op: "test", path: "/status/selector", value: "app=a" }, ...set(5)];
  assert.equal((await patched(`${DEPLOYMENTS}/json/scale`, test4, JSON_PATCH)).spec.replicas, 5);
});

void test("who applies a workload owns what it says, and is told who has scaled it since", async () => {
  const url = `${DEPLOYMENTS}/applied?fieldManager=owner`;
  const created = await subject.ask("PATCH", url, deployment("applied", { replicas: 2 }), APPLY);
  assert.equal(created.code, 201, created.text);
  assert.deepEqual(created.body.metadata.managedFields[0].fieldsV1, {
    "f:spec": {
      "f:replicas": {},
      "f:selector": {},
      "f:template": {
        "f:metadata": { "f:labels": { "f:app": {} } },
        "f:spec": { "f:containers": { 'k:{"name":"c"}': { ".": {}, "f:name": {}, "f:image": {} } } },
      },
    },
  });
  await patched(`${DEPLOYMENTS}/applied/scale?fieldManager=scaler`, { spec: { replicas: 5 } }, MERGE);
  const again = await subject.ask("PATCH", url, deployment("applied", { replicas: 2 }), APPLY);
  assert.equal(again.code, 409, again.text);
  assert.match(again.body.message, /conflict with "scaler" with subresource "scale" using apps\/v1: .spec.replicas/);
  // Who leaves the number out leaves it to the other.
  const left = await subject.ask("PATCH", url, deployment("applied"), APPLY);
  assert.deepEqual([left.code, left.body.spec.replicas], [200, 5], left.text);
});

void test("a dry run of a scale, a create and an eviction's delete changes nothing", async () => {
  await made(DEPLOYMENTS, deployment("dry"));
  const scaled = await patched(`${DEPLOYMENTS}/dry/scale?dryRun=All`, { spec: { replicas: 9 } }, MERGE);
  assert.equal(scaled.spec.replicas, 9);
  assert.equal((await subject.ask("GET", `${DEPLOYMENTS}/dry`)).body.spec.replicas, 1);
  const job = {
    metadata: { name: "dry" },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } },
  };
  assert.equal((await subject.ask("POST", `${JOBS}?dryRun=All`, job)).code, 201);
  assert.equal((await subject.ask("GET", `${JOBS}/dry`)).code, 404);
});
