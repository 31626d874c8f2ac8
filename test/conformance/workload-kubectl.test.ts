import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { kubectlHome, kubectlRunner } from "../lab/kubectl-runner.ts";
import { kubectls } from "../lab/kubectls.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let home: { readonly folder: string; remove(): void };
before(async () => {
  subject = await startSubject();
  home = kubectlHome({ port: subject.port, ca: subject.ca, pair: subject.admin });
});
after(async () => {
  home.remove();
  await subject.close();
});

const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const manifest = (name: string): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}}
spec:
  serviceName: ${name}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: c, image: i}]
`;

const BUDGET = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: most}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
`;

for (const { path, version, minor } of kubectls()) {
  void test(`kubectl ${version} makes workloads, scales and changes them, and shows them in all ways`, async () => {
    const namespace = `n${minor}-${version.replace(/\D/g, "")}`;
    assert.equal((await subject.ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } })).code, 201);
    const kubectl = kubectlRunner(path, home.folder, namespace);
    const field = (what: string, jsonpath: string): Promise<string> =>
      kubectl.works(["get", what, "-o", `jsonpath={${jsonpath}}`]);

    await kubectl.works(["create", "deployment", "web", "--image=one"]);
    await kubectl.works(["scale", "deployment/web", "--replicas=3"]);
    assert.equal(await field("deploy/web", ".spec.replicas"), "3");
    assert.match(
      await kubectl.fails(["scale", "deployment/web", "--replicas=4", "--current-replicas=7"]),
      /[Ee]xpected replicas to be 7, was 3/,
    );
    await kubectl.works(["set", "image", "deployment/web", "one=two"]);
    await kubectl.works(["set", "env", "deployment/web", "A=1"]);
    await kubectl.works(["rollout", "pause", "deployment/web"]);
    await kubectl.works(["rollout", "resume", "deployment/web"]);
    await kubectl.works(["rollout", "restart", "deployment/web"]);
    assert.match(await field("deploy/web", ".spec.template"), /kubectl\.kubernetes\.io\/restartedAt/);
    assert.match(await kubectl.works(["get", "deploy"]), /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/3 +0 +0 +/);
    assert.match(await kubectl.works(["describe", "deployment", "web"]), /Replicas: +3 desired \| 0 updated/);

    assert.match(
      await kubectl.works(["apply", "-f", "-"], { input: manifest("data") }),
      /statefulset.apps\/data created\ndaemonset.apps\/data created/,
    );
    // Of a list that is replaced as a whole, the claims, kubectl always says "configured"; the server has changed nothing.
    assert.match(
      await kubectl.works(["apply", "-f", "-"], { input: manifest("data") }),
      /daemonset.apps\/data unchanged/,
    );
    assert.equal(await field("sts/data", ".metadata.generation"), "1");
    const other = manifest("data").replace("serviceName: data", "serviceName: other");
    assert.match(
      await kubectl.fails(["apply", "-f", "-"], { input: other }),
      /updates to statefulset spec for fields other than/,
    );
    await kubectl.works(["scale", "sts/data", "--replicas=2"]);
    assert.equal(await field("sts/data", ".spec.replicas"), "2");

    await kubectl.works(["create", "job", "once", "--image=one"]);
    if (minor >= 21)
      await kubectl.works(["create", "poddisruptionbudget", "most", "--selector=app=web", "--min-available=50%"]);
    // Before 1.21 it knows no other version than policy/v1beta1, which Kubernetes has no longer.
    else await kubectl.works(["apply", "-f", "-"], { input: BUDGET });
    assert.match(await kubectl.works(["get", "pdb"]), /most +50% +N\/A +0 +/);
    assert.match(await kubectl.works(["get", "jobs"]), /once +(Running +)?0\/1 +/);
    const all = await kubectl.works(["get", "all", "-o", "name"]);
    for (const name of ["deployment.apps/web", "statefulset.apps/data", "daemonset.apps/data", "job.batch/once"]) {
      assert.ok(all.includes(name), `${name} in ${all}`);
    }
    assert.match(await kubectl.works(["explain", "deployment.spec.strategy.rollingUpdate"]), /maxSurge/);
    assert.match(await kubectl.works(["explain", "statefulset.spec.volumeClaimTemplates.spec"]), /accessModes/);
    await kubectl.works(["delete", "all", "--all", "--wait=false"]);
    assert.doesNotMatch(await kubectl.works(["get", "all", "-o", "name"]), /deployment|statefulset|daemonset/);
  });

  void test(`kubectl ${version} drains a node as far as the budgets let it`, async () => {
    const node = `node-${minor}-${version.replace(/\D/g, "")}`;
    assert.equal((await subject.ask("POST", "/api/v1/nodes", { metadata: { name: node } })).code, 201);
    const pods = "/api/v1/namespaces/default/pods";
    const app = `app-${node}`;
    const spec = { nodeName: node, automountServiceAccountToken: false, containers: [{ name: "c", image: "i" }] };
    assert.equal((await subject.ask("POST", pods, { metadata: { name: app, labels: { app } }, spec })).code, 201);
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await subject.ask("PATCH", `${pods}/${app}/status`, { status }, MERGE);
    const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    const budget = { metadata: { name: app }, spec: { minAvailable: 1, selector: { matchLabels: { app } } } };
    assert.equal((await subject.ask("POST", budgets, budget)).code, 201);
    const counted = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    await subject.ask("PATCH", `${budgets}/${app}/status`, { status: counted }, MERGE);
    const kubectl = kubectlRunner(path, home.folder, "default");
    const drained = await kubectl.fails(["drain", node, "--force", "--timeout=2s"]);
    assert.match(drained, /Cannot evict pod as it would violate the pod's disruption budget/);
    assert.equal((await subject.ask("GET", `/api/v1/nodes/${node}`)).body.spec.unschedulable, true);
    assert.equal((await subject.ask("GET", `${pods}/${app}`)).body.metadata.deletionTimestamp, undefined);
  });
}
