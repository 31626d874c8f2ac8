import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Container, Pod } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { until } from "../../lab/until.ts";
import * as lab from "./bed.ts";
import { conditionOf, podObject, podThat } from "./bed.ts";

let where: lab.Bed;
let part: NodePart;

before(async () => {
  where = await lab.bed();
  part = await where.start();
});
after(() => where.end(part));

const client = () => where.client;
const volumes = [{ name: "d", emptyDir: {} }];
const step = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  command: ["sh", "-c", script],
  volumeMounts: [{ name: "d", mountPath: "/d" }],
  ...more,
});
/** Says when it begins and when it is told to end. */
const stays = (name: string, more: Partial<Container> = {}): Container =>
  step(name, `trap 'echo -${name} >>/d/log; exit 0' TERM; echo +${name} >>/d/log; while :; do sleep 0.05; done`, more);
const sidecar = (name: string, more: Partial<Container> = {}): Container =>
  stays(name, { restartPolicy: "Always", ...more });
const logOf = (pod: Pod): Promise<string> =>
  readFile(join(where.directory, "volumes", pod.metadata.uid!, "d", "log"), "utf8").then(
    (text) => text.trim().split("\n").join(" "),
    () => "",
  );

void test("sidecars begin among the init containers, each when the one before has started, and end last in reverse order", async () => {
  const startupProbe = { exec: { command: ["test", "-e", "/d/go"] }, periodSeconds: 1, failureThreshold: 1000 };
  client().put(
    pods,
    podObject("order", {
      volumes,
      restartPolicy: "Never",
      initContainers: [
        step("i", "echo i >>/d/log"),
        sidecar("a", { startupProbe }),
        step("j", "echo j >>/d/log"),
        sidecar("b"),
      ],
      containers: [step("main", "echo main >>/d/log; until [ -e /d/end ]; do sleep 0.05; done; echo through >>/d/log")],
    }),
  );
  const waiting = await podThat(
    client(),
    "order",
    (pod) => pod.status?.initContainerStatuses?.[1]?.state?.running !== undefined,
  );
  assert.equal(waiting.status?.phase, "Pending");
  await until("the first sidecar", async () => (await logOf(waiting)) === "i +a");
  await lab.inPod(part, "order", "touch /d/go", "a");
  const ready = await podThat(client(), "order", (pod) => conditionOf(pod, "Ready") === "True");
  await until("all", async () => (await logOf(ready)).split(" ").length === 5);
  assert.match(await logOf(ready), /^i \+a j (\+b main|main \+b)$/);
  await lab.inPod(part, "order", "touch /d/end");
  const over = await podThat(client(), "order", (pod) => pod.status?.phase === "Succeeded");
  assert.match(await logOf(over), / through -b -a$/);
});

void test("a sidecar that ends is started again though its pod never restarts, and counts in Ready", async () => {
  const readinessProbe = { exec: { command: ["test", "-e", "/d/ready"] }, periodSeconds: 1 };
  client().put(
    pods,
    podObject("again", {
      volumes,
      restartPolicy: "Never",
      initContainers: [sidecar("a", { readinessProbe })],
      containers: [stays("main")],
    }),
  );
  const pod = await podThat(client(), "again", (each) => each.status?.phase === "Running");
  assert.match(pod.status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "", /\[a\]|\[a main\]/);
  await lab.inPod(part, "again", "touch /d/ready", "a");
  await podThat(client(), "again", (each) => conditionOf(each, "Ready") === "True");
  await lab.inPod(part, "again", "kill 1 2>/dev/null; kill -TERM $(cat /proc/1/task/1/children); true", "a");
  await podThat(client(), "again", (each) => each.status?.initContainerStatuses?.[0]?.restartCount === 1);
  await podThat(client(), "again", (each) => conditionOf(each, "Ready") === "True");
});

void test("CTL-112: a deleted pod's sidecars end after its main containers", async () => {
  client().put(
    pods,
    podObject("deleted", { volumes, initContainers: [sidecar("a"), sidecar("b")], containers: [stays("main")] }),
  );
  const pod = await podThat(client(), "deleted", (each) => conditionOf(each, "Ready") === "True");
  await until("all", async () => (await logOf(pod)).split(" ").length === 3);
  let said = "";
  const look = setInterval(() => void logOf(pod).then((text) => (said = text || said)), 5);
  await client().delete(pods, { namespace: "default", name: "deleted" }, { gracePeriodSeconds: 30 });
  await lab.podGone(client(), "deleted");
  clearInterval(look);
  // The file goes with the pod: the last word may be missed, the order not.
  assert.match(said, / -main( -b( -a)?)?$/);
});

void test("main containers start in order, each after the postStart hook of the one before", async () => {
  const hook = (script: string) => ({ lifecycle: { postStart: { exec: { command: ["sh", "-c", script] } } } });
  client().put(
    pods,
    podObject("hooks", {
      volumes,
      containers: [stays("x", hook("until [ -e /d/go ]; do sleep 0.05; done; echo hook >>/d/log")), stays("y")],
    }),
  );
  const pod = await until("the pod", () => client().find(pods, "default", "hooks") as Pod | undefined);
  await until("the first", async () => (await logOf(pod)) === "+x");
  // Its state is not told before the hook is through.
  const told = client().find(pods, "default", "hooks") as Pod;
  assert.equal(told.status?.containerStatuses?.[0]?.state?.running, undefined);
  // Its word may come before the node has written down that it runs.
  await until("the command", () => lab.inPod(part, "hooks", "touch /d/go; echo done", "x"));
  await podThat(client(), "hooks", (each) => conditionOf(each, "Ready") === "True");
  await until("the second", async () => (await logOf(pod)) === "+x hook +y");
});

void test("a postStart hook that fails ends its container, and the restart policy decides", async () => {
  const lifecycle = { postStart: { exec: { command: ["sh", "-c", "echo no luck; exit 3"] } } };
  client().put(
    pods,
    podObject("luckless", { volumes, restartPolicy: "Never", containers: [stays("x", { lifecycle })] }),
  );
  const pod = await podThat(
    client(),
    "luckless",
    (each) => each.status?.phase !== "Pending" && each.status?.containerStatuses?.[0]?.state?.terminated !== undefined,
  );
  assert.match(
    pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? "",
    /^PostStartHook failed: .*no luck/,
  );
  await until("the event", async () =>
    (await lab.eventsOf(client(), "luckless")).includes("FailedPostStartHook PostStartHook failed"),
  );
});
