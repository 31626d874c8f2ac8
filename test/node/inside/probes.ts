import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Event } from "../../../src/api/generated/types.ts";
import { events, pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { until } from "../../lab/until.ts";
import * as lab from "./bed.ts";
import { conditionOf, podObject, podThat, shell } from "./bed.ts";

let where: lab.Bed;
let part: NodePart;

before(async () => {
  where = await lab.bed();
  part = await where.start();
});
after(() => where.end(part));

const client = () => where.client;
const LOOP = "while :; do sleep 0.05; done";
const exec = (script: string, more = {}) => ({
  exec: { command: ["sh", "-c", script] },
  periodSeconds: 1,
  // A busy machine is no fault of the program's.
  timeoutSeconds: 30,
  ...more,
});
const said = (name: string, event: RegExp): Promise<string> =>
  until(`the event ${event}`, async () => (await lab.eventsOf(client(), name)).find((each) => event.test(each)));

void test("CTL-106, CTL-108: a failing liveness probe ends the container, which starts again; the pod's address stays", async () => {
  client().put(
    pods,
    podObject(
      "dies",
      {},
      {
        ...shell(`trap 'exit 3' TERM; ${LOOP}`),
        livenessProbe: exec("! [ -e /tmp/dead ]", { failureThreshold: 2 }),
      },
    ),
  );
  const first = await podThat(client(), "dies", (pod) => conditionOf(pod, "Ready") === "True");
  await lab.inPod(part, "dies", "touch /tmp/dead");
  const again = await podThat(
    client(),
    "dies",
    (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && conditionOf(pod, "Ready") === "True",
  );
  assert.equal(again.status?.podIP, first.status?.podIP);
  assert.equal(again.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3);
  await said("dies", /^Unhealthy Liveness probe failed: /);
  await said("dies", /^Killing Container main failed liveness probe, will be restarted$/);
});

void test("CTL-106: the probe's own terminationGracePeriodSeconds counts, and the restart policy", async () => {
  client().put(
    pods,
    podObject(
      "short",
      { restartPolicy: "Never", terminationGracePeriodSeconds: 600 },
      {
        ...shell(`trap '' TERM; touch /tmp/up; ${LOOP}`),
        livenessProbe: exec("! [ -e /tmp/up ]", { failureThreshold: 1, terminationGracePeriodSeconds: 1 }),
      },
    ),
  );
  const pod = await podThat(client(), "short", (each) => each.status?.phase === "Failed");
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 137);
  await said("short", /^Killing Container main failed liveness probe$/);
});

void test("CTL-102, CTL-104: until the startup probe has passed no other is asked, and the pod is not ready", async () => {
  client().put(
    pods,
    podObject(
      "slow",
      {},
      {
        ...shell(LOOP),
        startupProbe: exec("[ -e /tmp/up ] && echo startup >>/tmp/asked", { failureThreshold: 1000 }),
        livenessProbe: exec("echo liveness >>/tmp/asked"),
        readinessProbe: exec("echo readiness >>/tmp/asked"),
      },
    ),
  );
  await said("slow", /^Unhealthy Startup probe failed: /);
  const pod = await podThat(client(), "slow", (each) => each.status?.phase === "Running");
  assert.deepEqual(
    [pod.status?.containerStatuses?.[0]?.started, pod.status?.containerStatuses?.[0]?.ready],
    [false, false],
  );
  assert.equal(await lab.inPod(part, "slow", "cat /tmp/asked 2>/dev/null; true"), "");
  await lab.inPod(part, "slow", "touch /tmp/up");
  await podThat(client(), "slow", (each) => conditionOf(each, "Ready") === "True");
  const asked = (await lab.inPod(part, "slow", "cat /tmp/asked")).split("\n");
  assert.equal(asked[0], "startup");
  assert.ok(asked.includes("readiness"));
});

void test("CTL-106: a startup probe that has failed too often ends the container", async () => {
  client().put(
    pods,
    podObject(
      "never",
      { restartPolicy: "Never" },
      {
        ...shell(`trap 'exit 4' TERM; ${LOOP}`),
        startupProbe: exec("false", { failureThreshold: 2 }),
      },
    ),
  );
  const pod = await podThat(client(), "never", (each) => each.status?.phase === "Failed");
  // Told to end before its trap is set it ends by the signal.
  assert.ok([4, 143].includes(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode ?? 0));
});

void test("CTL-103: a probe that hangs ends at timeoutSeconds, its command with it, and never piles up", async () => {
  const word = `hangs-${process.pid}`;
  client().put(
    pods,
    podObject(
      "hangs",
      {},
      {
        ...shell(LOOP),
        readinessProbe: {
          exec: { command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", word] },
          periodSeconds: 1,
          timeoutSeconds: 1,
        },
      },
    ),
  );
  await said("hangs", /^Unhealthy Readiness probe failed: timeout: command .* did not answer within 1 s$/);
  const counts: number[] = [];
  await until("three more asks", async () => {
    counts.push((await lab.processesWith(word)).length);
    const { items } = await client().list<Event>(events);
    return items.some(({ count = 0, message = "" }) => count >= 3 && message.includes("did not answer"));
  });
  // Each ask is nsenter outside, and the shell inside.
  assert.ok(Math.max(...counts) <= 4, `at most one at a time: ${counts.join(" ")}`);
  await client().delete(pods, { namespace: "default", name: "hangs" }, { gracePeriodSeconds: 1 });
  await lab.podGone(client(), "hangs");
  await until("nothing to be left", async () => (await lab.processesWith(word)).length === 0);
});

void test("CTL-105: gRPC and httpGet probes reach the pod at its own address", async () => {
  const server = `const h=require("http2").createServer();h.on("stream",(s,q)=>{s.respond({":status":200,"content-type":"application/grpc"},{waitForTrailers:true});
    s.on("wantTrailers",()=>s.sendTrailers({"grpc-status":"0"}));s.resume();
    s.end(Buffer.from([0,0,0,0,2,8,require("fs").existsSync("/tmp/bad")?2:1]))});h.listen(50051,"::");
    require("http").createServer((q,s)=>s.end()).listen(80,"::")`;
  client().put(
    pods,
    podObject(
      "rpc",
      {},
      {
        command: ["node", "-e", server],
        ports: [{ name: "web", containerPort: 80 }],
        startupProbe: { httpGet: { port: "web" }, periodSeconds: 1, failureThreshold: 100 },
        readinessProbe: { grpc: { port: 50051 }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 },
      },
    ),
  );
  await podThat(client(), "rpc", (each) => conditionOf(each, "Ready") === "True");
  await lab.inPod(part, "rpc", "touch /tmp/bad");
  await podThat(client(), "rpc", (each) => conditionOf(each, "Ready") === "False");
  await said("rpc", /^Unhealthy Readiness probe failed: service unhealthy \(responded with "NOT_SERVING"\)$/);
});

void test("CTL-123: a port that the container does not declare is reachable", async () => {
  const server = `require("http").createServer((q,s)=>s.end()).listen(8123,"::")`;
  client().put(
    pods,
    podObject(
      "undeclared",
      {},
      {
        command: ["node", "-e", server],
        ports: [{ containerPort: 80 }],
        readinessProbe: { httpGet: { port: 8123 }, periodSeconds: 1 },
      },
    ),
  );
  const pod = await podThat(client(), "undeclared", (each) => conditionOf(each, "Ready") === "True");
  assert.equal((await fetch(`http://${pod.status?.podIP}:8123/`)).status, 200);
});
