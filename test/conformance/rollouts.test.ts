import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { createClient } from "../../src/client/connect.ts";
import { playNode, type PlayedNode } from "../controllers/played-node.ts";
import { kubectlHome, kubectlRunner, type KubectlRunner } from "../lab/kubectl-runner.ts";
import { kubectls } from "../lab/kubectls.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/*
 * What people do with Deployments and kubectl, by the oldest and the newest kubectl that can be had and 1.32. The test plays the node: it says
 * which pods are ready. The words of kubectl ("successfully rolled out", "rolled back", …) are its own.
 */

let subject: Subject;
let home: ReturnType<typeof kubectlHome>;
let node: PlayedNode;
const cleanups: (() => void)[] = [];
before(async () => {
  subject = await startSubject({ controllers: true });
  home = kubectlHome({ port: subject.port, ca: subject.ca, pair: subject.admin });
  const client = createClient({ server: `https://127.0.0.1:${subject.port}`, ca: subject.ca, ...subject.admin });
  node = await playNode({ after: (cleanup) => cleanups.push(cleanup as () => void) }, client, { unbound: true });
  cleanups.push(() => client.close());
});
after(async () => {
  for (const cleanup of cleanups) cleanup();
  await subject.close();
  home.remove();
});

const imageOf = (pod: Pod): string => pod.spec?.containers[0]?.image ?? "";

const all = kubectls();
const minors = new Set([
  all[0]?.minor,
  32,
  Math.max(...all.map(({ minor }) => minor)),
  Math.min(...all.map(({ minor }) => minor)),
]);
const found = all.filter(
  ({ minor }, index) => minors.has(minor) && all.findIndex((one) => one.minor === minor) === index,
);
for (const { path, version, minor } of found) {
  const namespace = `rollouts-${minor}`;
  let kubectl: KubectlRunner;
  const rollout = (name: string, run: () => Promise<void>): void => void test(`kubectl ${version}: ${name}`, run);
  const field = (path: string, what = "deployment/web"): Promise<string> =>
    kubectl.works(["get", what, "-o", `jsonpath={${path}}`]);
  const image = (): Promise<string> => field(".spec.template.spec.containers[0].image");
  const rolledOut = (): Promise<string> => kubectl.works(["rollout", "status", "deployment/web", "--timeout=60s"]);
  const mine = (): Pod[] => node.pods().filter(({ metadata }) => metadata.namespace === namespace);

  rollout("CTL-124: create, scale and rollout status, which waits for the last pod", async () => {
    kubectl = kubectlRunner(path, home.folder, namespace);
    await kubectl.works(["create", "namespace", namespace]);
    await kubectl.works(["create", "deployment", "web", "--image=registry.example/web:one"]);
    await kubectl.works(["scale", "deployment/web", "--replicas=3"]);
    assert.match(await rolledOut(), /successfully rolled out/);
    node.turnReady((pod) => imageOf(pod) !== "registry.example/web:two");
    await kubectl.works(["set", "image", "deployment/web", "web=registry.example/web:two"]);
    await until("a pod of the new image", () => mine().some((pod) => imageOf(pod) === "registry.example/web:two"));
    const now = await kubectl.works(["rollout", "status", "deployment/web", "--watch=false"]);
    assert.match(now, /Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated/);
    const waiting = kubectl.run(["rollout", "status", "deployment/web", "--timeout=60s"]);
    assert.equal(mine().filter((pod) => imageOf(pod) === "registry.example/web:one").length, 3, "none may be missing");
    node.turnReady(() => true);
    const { code, text } = await waiting;
    assert.equal(code, 0, text);
    assert.match(text, /successfully rolled out/);
  });

  rollout("CTL-124: history with causes, undo, and undo to a revision", async () => {
    await kubectl.works(["annotate", "deployment/web", "kubernetes.io/change-cause=the second"]);
    const history = (): Promise<string> => kubectl.works(["rollout", "history", "deployment/web"]);
    await until("the cause in the history", async () => /2\s+the second/.test(await history()));
    assert.match(await history(), /\n1 +<none>\n2 +the second\n/);
    assert.match(await kubectl.works(["rollout", "undo", "deployment/web"]), /rolled back/);
    await rolledOut();
    assert.equal(await image(), "registry.example/web:one");
    const after = await history();
    assert.match(after, /\n2 +the second\n3 +/);
    assert.doesNotMatch(after, /\n1 /, "the first revision is the third now");
    await kubectl.works(["rollout", "undo", "deployment/web", "--to-revision=2"]);
    await rolledOut();
    assert.equal(await image(), "registry.example/web:two");
    assert.match(await kubectl.works(["rollout", "history", "deployment/web", "--revision=4"]), /web:two/);
    const sets = await kubectl.works(["get", "replicasets", "--no-headers"]);
    assert.equal(sets.trim().split("\n").length, 2, `each template has one ReplicaSet:\n${sets}`);
  });

  rollout("CTL-124: pause collects changes into one rollout, which begins with resume", async () => {
    await kubectl.works(["rollout", "pause", "deployment/web"]);
    await kubectl.works(["set", "env", "deployment/web", "COLOR=blue"]);
    await kubectl.works(["set", "env", "deployment/web", "SIZE=large"]);
    await until("it says that it is paused", async () =>
      (await field('.status.conditions[?(@.type=="Progressing")].reason')).includes("DeploymentPaused"),
    );
    assert.ok(mine().every((pod) => pod.spec?.containers[0]?.env === undefined));
    assert.match(await kubectl.fails(["rollout", "undo", "deployment/web"]), /paused/);
    await kubectl.works(["rollout", "resume", "deployment/web"]);
    await rolledOut();
    const env = await field(".spec.template.spec.containers[0].env[*].name");
    assert.equal(env, "COLOR SIZE");
    const history = await kubectl.works(["rollout", "history", "deployment/web"]);
    assert.match(history, /\n5 /);
    assert.doesNotMatch(history, /\n6 /);
  });

  rollout("CTL-124: restart replaces every pod", async () => {
    const before = new Set(mine().map(({ metadata }) => metadata.uid));
    assert.match(await kubectl.works(["rollout", "restart", "deployment/web"]), /restarted/);
    await rolledOut();
    await until(
      "only new pods",
      () => mine().length === 3 && mine().every(({ metadata }) => !before.has(metadata.uid)),
    );
  });

  rollout("CTL-124: scale by what is there, and the table shows it", async () => {
    assert.match(
      await kubectl.fails(["scale", "deployment/web", "--current-replicas=9", "--replicas=1"]),
      /[Ee]xpected/,
    );
    await kubectl.works(["scale", "deployment/web", "--current-replicas=3", "--replicas=5"]);
    await rolledOut();
    await until("five of five", async () => / 5\/5 +5 +5 /.test(await kubectl.works(["get", "deployment", "web"])));
    const described = await kubectl.works(["describe", "deployment/web"]);
    assert.match(described, /5 desired \| 5 updated \| 5 total \| 5 available \| 0 unavailable/);
    assert.match(described, /NewReplicaSet: +web-[a-z0-9]+ \(5\/5 replicas created\)/);
    assert.match(described, /ScalingReplicaSet .*Scaled up replica set web-/);
  });

  rollout("CTL-124: expose selects its pods", async () => {
    await kubectl.works(["expose", "deployment/web", "--port=80", "--target-port=8080"]);
    assert.equal(await field(".spec.selector.app", "service/web"), "web");
  });

  rollout("CTL-124: rollout status fails when the deadline has passed without progress", async () => {
    node.turnReady((pod) => imageOf(pod) !== "registry.example/web:never");
    await kubectl.works(["patch", "deployment/web", "-p", '{"spec":{"progressDeadlineSeconds":1}}']);
    await kubectl.works(["set", "image", "deployment/web", "web=registry.example/web:never"]);
    assert.match(
      await kubectl.fails(["rollout", "status", "deployment/web", "--timeout=60s"]),
      /exceeded its progress deadline/,
    );
    await kubectl.works(["rollout", "undo", "deployment/web"]);
    await rolledOut();
    node.turnReady(() => true);
  });

  rollout("CTL-127: delete takes ReplicaSets and pods along", async () => {
    await kubectl.works(["delete", "deployment/web"]);
    await until(
      "nothing is left",
      async () => /No resources found/.test(await kubectl.works(["get", "replicasets,pods"])),
      { seconds: 60 },
    );
  });
}
