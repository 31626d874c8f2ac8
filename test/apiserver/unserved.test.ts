import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SOUGHT_AMONG_CUSTOM, unservedBelowPods, unservedResource } from "../../src/api/unserved.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { kubectlHome, kubectlRunner } from "../lab/kubectl-runner.ts";
import { kubectls } from "../lab/kubectls.ts";

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

const policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";

void test("a request for what is not served is answered with a Status that says what it would have done, whatever its method", async () => {
  for (const [group, plural, paths] of [
    ["networking.k8s.io", "networkpolicies", [policies, `${policies}/a`, "/apis/networking.k8s.io/v1/networkpolicies"]],
    ["autoscaling", "horizontalpodautoscalers", ["/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers"]],
    ["batch", "cronjobs", ["/apis/batch/v1/namespaces/default/cronjobs/a/status", "/apis/batch/v1/cronjobs"]],
    ["", "limitranges", ["/api/v1/namespaces/default/limitranges", "/api/v1/watch/namespaces/default/limitranges"]],
    ["", "persistentvolumes", ["/api/v1/persistentvolumes/a"]],
    ["storage.k8s.io", "storageclasses", ["/apis/storage.k8s.io/v1/storageclasses"]],
    ["example.com", "widgets", ["/apis/example.com/v1/namespaces/default/widgets/a"]],
  ] as const) {
    for (const path of paths) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        const { code, body, text } = await subject.ask(method, path, method === "GET" ? undefined : {});
        assert.deepEqual([code, body.kind, body.reason], [404, "Status", "NotFound"], `${method} ${path}: ${text}`);
        assert.equal(body.message, unservedResource(group, plural), `${method} ${path}`);
        assert.equal(body.details.kind, plural);
      }
    }
  }
});

void test("who may not ask for it is told that alone", async () => {
  const { code, body } = await subject.ask("GET", policies, undefined, { as: "anonymous" });
  assert.equal(code, 403);
  assert.doesNotMatch(body.message, /not served/);
});

void test("what is not served is not listed, nor described", async () => {
  for (const path of ["/api/v1", "/apis/networking.k8s.io/v1", "/apis/batch/v1"]) {
    const { resources } = (await subject.ask("GET", path)).body as { resources: { name: string }[] };
    for (const { name } of resources)
      assert.doesNotMatch(name, /polic|cron|limitrange|persistentvolumes|ephemeral|resize/);
  }
  const { groups } = (await subject.ask("GET", "/apis")).body as { groups: { name: string }[] };
  const names = new Set(groups.map(({ name }) => name));
  for (const group of ["autoscaling", "apiextensions.k8s.io", "storage.k8s.io", "scheduling.k8s.io", "node.k8s.io"]) {
    assert.ok(!names.has(group), group);
    assert.equal((await subject.ask("GET", `/apis/${group}/v1`)).text, "404 page not found\n");
  }
});

void test("a pod is not debugged or resized while it runs, and is not missing for that", async () => {
  const pods = "/api/v1/namespaces/default/pods";
  const made = await subject.ask("POST", pods, {
    metadata: { name: "p" },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  assert.equal(made.code, 201, made.text);
  for (const word of ["ephemeralcontainers", "resize"]) {
    for (const method of ["GET", "PATCH", "PUT"]) {
      const { code, body } = await subject.ask(method, `${pods}/p/${word}`, method === "GET" ? undefined : {});
      assert.deepEqual([code, body.message, body.details], [404, unservedBelowPods(word), { kind: `pods/${word}` }]);
    }
  }
});

const NETWORK_POLICY = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "a" },
  spec: { podSelector: {} },
};

for (const { path, version, minor } of kubectls()) {
  void test(`kubectl ${version} shows what is not served, as far as it asks the server`, async () => {
    const kubectl = kubectlRunner(path, home.folder, "default");
    const name = `d${minor}`;
    await kubectl.works(["create", "deployment", name, "--image=i"]);
    const said = (text: string, sentence: string | undefined): void => {
      assert.ok(sentence !== undefined && text.includes(sentence), `${String(sentence)} in\n${text}`);
    };
    const hpa = unservedResource("autoscaling", "horizontalpodautoscalers");
    said(await kubectl.fails(["autoscale", "deployment", name, "--max=3"]), hpa);
    said(
      await kubectl.fails(["create", "cronjob", "c", "--image=i", "--schedule=* * * * *"]),
      unservedResource("batch", "cronjobs"),
    );
    said(
      await kubectl.fails(["create", "priorityclass", "c", "--value=1"]),
      unservedResource("scheduling.k8s.io", "priorityclasses"),
    );
    await kubectl.works(["run", `p${minor}`, "--image=i"]);
    said(await kubectl.fails(["debug", `p${minor}`, "--image=i"]), unservedBelowPods("ephemeralcontainers"));
    // It looks up the kind before it sends anything: before 1.27 in discovery alone, since then among custom resources.
    const applied = await kubectl.fails(["apply", "-f", "-"], { input: JSON.stringify(NETWORK_POLICY) });
    if (minor >= 27) said(applied, SOUGHT_AMONG_CUSTOM);
    else assert.match(applied, /no matches for kind "NetworkPolicy"/);
    assert.match(await kubectl.fails(["get", "netpol"]), /doesn't have a resource type "netpol"/);
  });
}
