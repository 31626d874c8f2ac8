import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Job, Pod } from "../../src/api/generated/types.ts";
import { jobs, nodes, pods } from "../../src/api/resources.ts";
import { kubectlHome, kubectlRunner } from "../lab/kubectl-runner.ts";
import { kubectls } from "../lab/kubectls.ts";
import { playNode } from "./played-node.ts";
import { addNode, addPod, createWorld, eventually } from "./world.ts";

const STATEFUL = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  replicas: 3
  serviceName: web
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: c, image: one }] }
`;

const DAEMON = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec: { containers: [{ name: c, image: one }] }
`;

const BUDGET = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec:
  minAvailable: 2
  selector: { matchLabels: { app: web } }
`;

async function begin(t: TestContext, path: string) {
  const world = await createWorld(t);
  const node = await playNode(t, world.client);
  const home = kubectlHome(world.access);
  t.after(() => home.remove());
  return { ...world, node, kubectl: kubectlRunner(path, home.folder, "default") };
}

const all = kubectls();
/** The oldest, the newest and 1.32 of those that there are, each once. */
const minors = [...new Set(all.map(({ minor }) => minor))].sort((a, b) => a - b);
const few = new Set([minors[0], 32, minors.at(-1)]);
const chosen = all.filter(({ minor }, at) => few.has(minor) && all.findIndex((one) => one.minor === minor) === at);

for (const { path, version, minor } of chosen) {
  for (const [kind, name, manifest] of [
    ["statefulset", "web", STATEFUL],
    ["daemonset", "agent", DAEMON],
  ] as const) {
    const number = kind === "statefulset" ? "CTL-125" : "CTL-126";
    test(`${number}: kubectl ${version} rolls a ${kind} out, shows its history and takes it back`, async (t) => {
      const { client, kubectl } = await begin(t, path);
      await kubectl.works(["apply", "-f", "-"], { input: manifest });
      await kubectl.works(["rollout", "status", `${kind}/${name}`, "--timeout=30s"]);
      await kubectl.works(["set", "image", `${kind}/${name}`, "c=two"]);
      await kubectl.works(["rollout", "status", `${kind}/${name}`, "--timeout=30s"]);
      const history = await kubectl.works(["rollout", "history", `${kind}/${name}`]);
      assert.match(history, /REVISION[^]*\n1 [^]*\n2 /);
      assert.match(await kubectl.works(["rollout", "history", `${kind}/${name}`, "--revision=1"]), /Image:\s+one/);
      await kubectl.works(["rollout", "undo", `${kind}/${name}`]);
      await kubectl.works(["rollout", "status", `${kind}/${name}`, "--timeout=30s"]);
      const made = (await client.list<Pod>(pods)).items;
      assert.deepEqual([...new Set(made.map(({ spec }) => spec?.containers[0]?.image))], ["one"]);
      const again = await kubectl.works(["rollout", "history", `${kind}/${name}`]);
      assert.match(again, /\n2 [^]*\n3 /);
      assert.doesNotMatch(again, /\n1 /);
    });
  }

  test(`kubectl ${version} waits for a Job, and shows that it is complete`, async (t) => {
    const { client, kubectl } = await begin(t, path);
    await kubectl.works(["create", "job", "sum", "--image=one"]);
    const [pod] = await eventually(
      "its pod",
      async () => (await client.list<Pod>(pods)).items,
      (found) => found.length === 1,
    );
    const at = { namespace: "default", name: pod?.metadata.name ?? "" };
    await client.patch(pods, at, "merge", { status: { phase: "Succeeded" } }, { subresource: "status" });
    await kubectl.works(["wait", "--for=condition=complete", "job/sum", "--timeout=30s"]);
    assert.match(await kubectl.works(["get", "job", "sum"]), /sum\s+(Complete\s+)?1\/1/);
    const job = await client.get<Job>(jobs, { namespace: "default", name: "sum" });
    assert.equal(job.status?.succeeded, 1);
  });

  test(`CTL-117: kubectl ${version} drains a node as far as budgets let it, and cordons and uncordons it`, async (t) => {
    const { client, kubectl } = await begin(t, path);
    await addNode(client, "node-2");
    await kubectl.works(["apply", "-f", "-"], { input: `${STATEFUL}---${DAEMON}---${BUDGET}` });
    await kubectl.works(["rollout", "status", "statefulset/web", "--timeout=30s"]);
    await kubectl.works(["rollout", "status", "daemonset/agent", "--timeout=30s"]);
    await addPod(client, "bare", {}, { nodeName: "node-2" });
    const drain = ["drain", "node-2", "--timeout=30s"];
    const refused = await kubectl.fails(drain);
    assert.match(refused, /cannot delete DaemonSet-managed Pods/);
    assert.match(refused, /default\/bare/);
    const ignoring = minor < 20 ? "--ignore-daemonsets" : "--ignore-daemonsets=true";
    await kubectl.works([...drain, ignoring, "--force"]);
    const there = (await client.list<Pod>(pods)).items.filter(({ spec }) => spec?.nodeName === "node-2");
    assert.deepEqual(
      there.map(({ metadata }) => metadata.labels?.["app"]),
      ["agent"],
    );
    const node = await client.get(nodes, { name: "node-2" });
    assert.deepEqual(
      (node as { spec?: { taints?: { key: string }[] } }).spec?.taints?.map(({ key }) => key),
      ["node.kubernetes.io/unschedulable"],
    );
    await kubectl.works(["rollout", "status", "statefulset/web", "--timeout=30s"]);
    await kubectl.works(["uncordon", "node-2"]);
    await eventually(
      "no taint",
      () => client.get(nodes, { name: "node-2" }),
      (found) => ((found as { spec?: { taints?: unknown[] } }).spec?.taints ?? []).length === 0,
    );
    // What the budget does not allow, drain waits for in vain.
    await kubectl.works(["patch", "pdb", "web", "--type=merge", "-p", '{"spec":{"minAvailable":3}}']);
    const kept = await kubectl.fails(["drain", "node-1", "--timeout=3s", ignoring]);
    assert.match(kept, /violate the pod's disruption budget/);
  });
}
