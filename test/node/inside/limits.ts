import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Container, Node, Pod } from "../../../src/api/generated/types.ts";
import { nodes, pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { readMounts } from "../../../src/host/mounts.ts";
import { until } from "../../lab/until.ts";
import { bed, conditionOf, logOf, output, podObject, podThat, shell, type Bed } from "./bed.ts";

let where: Bed;
let part: NodePart;
let isEnforced = false;

/** All groups that nodes of ours have made on this machine, and that this test's node could have. */
async function groups(): Promise<string[]> {
  const points = (await readMounts()).filter(({ type }) => type.startsWith("cgroup")).map(({ point }) => point);
  const found = await Promise.all(points.map((point) => readdir(point, { recursive: true }).catch(() => [])));
  const uid = where.client.find(pods, "default", "known")?.metadata.uid ?? "no pod";
  return found.flat().filter((path) => path.includes(uid) && !/\.\w+$/.test(path));
}

const limitOf = async (): Promise<string | undefined> => {
  const node = await until("the Node", () => where.client.find(nodes, "", "n1") as Node | undefined);
  return node.status?.conditions?.find(({ type }) => type === "LimitsEnforced")?.status;
};
const limited = (script: string, memory: string): Partial<Container> => ({
  ...shell(script),
  resources: { limits: { memory, cpu: "500m" } },
});

before(async () => {
  where = await bed();
  part = await where.start();
  isEnforced = (await limitOf()) === "True";
});
after(async () => {
  await where.end(part);
});

void test("the Node says whether it holds containers to their limits", async () => {
  const node = where.client.find(nodes, "", "n1") as Node;
  const condition = node.status?.conditions?.find(({ type }) => type === "LimitsEnforced");
  if (condition?.status === "True") return;
  assert.equal(condition?.status, "False");
  assert.match(condition?.message ?? "", /^limits of memory.* are not enforced: there is no cgroup/);
});

void test("a program that eats more memory than its limit is killed, and that is told", async (t) => {
  if (!isEnforced) return t.skip("there is no cgroup here that we may write to");
  where.client.put(pods, podObject("hog", { restartPolicy: "Never" }, limited("echo begun; tail /dev/zero", "64Mi")));
  const pod = await podThat(
    where.client,
    "hog",
    (each) => each.status?.containerStatuses?.[0]?.state?.terminated !== undefined,
  );
  const ended = pod.status?.containerStatuses?.[0]?.state?.terminated;
  assert.deepEqual([ended?.reason, ended?.exitCode], ["OOMKilled", 137]);
  assert.match(await logOf(part, "hog"), /^begun/);
});

void test("a program that ends by itself with that exit code is not called killed for memory", async () => {
  where.client.put(pods, podObject("itself", { restartPolicy: "Never" }, limited("exit 137", "64Mi")));
  const pod = await podThat(
    where.client,
    "itself",
    (each) => each.status?.containerStatuses?.[0]?.state?.terminated !== undefined,
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, "Error");
});

void test("a program that only forks meets an end to it, and others go on", async () => {
  const bomb = "b() { b | b & }; b; sleep 1; while :; do b; done";
  where.client.put(pods, podObject("bomb", { restartPolicy: "Never" }, { ...shell(bomb) }));
  await until(
    "the limit to be met",
    async () => /fork|Resource temporarily unavailable/i.test(await logOf(part, "bomb").catch(() => "")),
    {
      seconds: 30,
    },
  );
  const { text } = await output(where.client, part, "beside", podObject("beside", {}, shell("echo alive")));
  assert.equal(text, "alive\n");
  await where.client.delete(pods, { namespace: "default", name: "bomb" }, { gracePeriodSeconds: 1 });
  await until("the pod to go", () => where.client.find(pods, "default", "bomb") === undefined, { seconds: 30 });
});

void test("what is run in a container by exec counts to its limit; no group outlives the container", async (t) => {
  if (!isEnforced) return t.skip("there is no cgroup here that we may write to");
  where.client.put(pods, podObject("known", { restartPolicy: "Never" }, limited("sleep 600", "64Mi")));
  const isReady = (each: Pod): boolean => conditionOf(each, "Ready") === "True";
  await podThat(where.client, "known", isReady);
  assert.ok((await groups()).length > 0);
  const execution = await part.source.exec(
    { namespace: "default", pod: "known", container: "main" },
    { command: ["tail", "/dev/zero"], stdin: false },
  );
  execution.stdout.resume();
  assert.equal(await execution.ended, 137);
  const pod = where.client.find(pods, "default", "known") as Pod;
  await where.client.delete(pods, { namespace: "default", name: "known" }, { gracePeriodSeconds: 1 });
  await until("the pod to go", () => where.client.find(pods, "default", "known") === undefined);
  where.client.put(pods, { ...pod, spec: { containers: [], nodeName: "elsewhere" } });
  await until("the groups to go", async () => (await groups()).length === 0);
});
