import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Container, PodSpec } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { until } from "../../lab/until.ts";
import * as lab from "./bed.ts";
import { conditionOf, podObject, podThat, shell } from "./bed.ts";

let where: lab.Bed;
let part: NodePart;
let last: ReturnType<typeof lab.lastOf>;

const client = () => where.client;
const begin = async (name: string, script: string, container: Partial<Container> = {}, spec: Partial<PodSpec> = {}) => {
  // Ready when its traps are set, and not a moment before.
  const readinessProbe = { exec: { command: ["test", "-e", "/tmp/up"] }, periodSeconds: 1, timeoutSeconds: 30 };
  client().put(pods, podObject(name, spec, { ...shell(script), readinessProbe, ...container }));
  return podThat(client(), name, (pod) => conditionOf(pod, "Ready") === "True");
};
const remove = (name: string, gracePeriodSeconds: number): Promise<void> =>
  client().delete(pods, { namespace: "default", name }, { gracePeriodSeconds });
const endOf = (name: string) => last.of(name)?.status?.containerStatuses?.[0]?.state?.terminated;
const LOOP = "touch /tmp/up; while :; do sleep 0.05; done";
/** Waits for SIGTERM and then runs the script. */
const onTerm = (script: string): string => `trap '${script}' TERM; ${LOOP}`;
/** Deaf to everything that can be ignored. */
const DEAF = `trap '' TERM INT HUP USR1; ${LOOP}`;

before(async () => {
  where = await lab.bed();
  last = lab.lastOf(where.client);
  part = await where.start();
});
after(async () => {
  await where.end(part);
  last.stop();
});

void test("CTL-112: a preStop command runs before SIGTERM, which waits for it", async () => {
  await begin("hooked", onTerm("test -e /tmp/hook && exit 9; exit 8"), {
    lifecycle: { preStop: { exec: { command: ["sh", "-c", "sleep 0.3; touch /tmp/hook"] } } },
  });
  await remove("hooked", 30);
  await lab.podGone(client(), "hooked");
  assert.equal(endOf("hooked")?.exitCode, 9);
});

void test("CTL-112: a preStop httpGet is asked, with the named port of the container", async () => {
  const server = `require("http").createServer((q,s)=>{if(q.url==="/bye")heard=true;s.statusCode=500;s.end()}).listen(80,"::");
    let heard=false;process.on("SIGTERM",()=>process.exit(heard?9:8))`;
  await begin("asked", "", {
    command: ["node", "-e", server],
    ports: [{ name: "web", containerPort: 80 }],
    readinessProbe: { tcpSocket: { port: "web" }, periodSeconds: 1 },
    lifecycle: { preStop: { httpGet: { port: "web", path: "bye" } } },
  });
  await remove("asked", 30);
  await lab.podGone(client(), "asked");
  assert.equal(endOf("asked")?.exitCode, 9, "any answer will do for a hook");
});

void test("CTL-112: a preStop sleep is waited for, and is no longer than the grace; two seconds are left for the program", async () => {
  await begin("slept", onTerm("exit 9"), { lifecycle: { preStop: { sleep: { seconds: 1 } } } });
  const from = Date.now();
  await remove("slept", 30);
  await lab.podGone(client(), "slept");
  assert.ok(Date.now() - from >= 1000);
  // The hook outlasts the grace; the program gets its signal all the same, and its two seconds.
  await begin("outlasted", onTerm("sleep 0.5; exit 9"), { lifecycle: { preStop: { sleep: { seconds: 600 } } } });
  await remove("outlasted", 1);
  await lab.podGone(client(), "outlasted");
  assert.equal(endOf("outlasted")?.exitCode, 9);
});

void test("CTL-112: a preStop hook that fails is told of, and does not keep the container", async () => {
  await begin("failed", onTerm("exit 9"), { lifecycle: { preStop: { exec: { command: ["false"] } } } });
  await remove("failed", 30);
  await lab.podGone(client(), "failed");
  assert.equal(endOf("failed")?.exitCode, 9);
  await until("the event", async () =>
    (await lab.eventsOf(client(), "failed")).includes("FailedPreStopHook PreStopHook failed"),
  );
});

void test("CTL-112: lifecycle.stopSignal is sent in the place of SIGTERM", async () => {
  await begin("signal", `trap 'exit 9' USR1; trap 'exit 8' TERM; ${LOOP}`, {
    lifecycle: { stopSignal: "SIGUSR1" },
  });
  await remove("signal", 30);
  await lab.podGone(client(), "signal");
  assert.equal(endOf("signal")?.exitCode, 9);
});

void test("CTL-111, CTL-114: a second DELETE shortens the grace; the phase is terminal before the object goes", async () => {
  await begin("patient", DEAF);
  await remove("patient", 600);
  await until("SIGTERM", async () =>
    (await lab.eventsOf(client(), "patient")).includes("Killing Stopping container main"),
  );
  assert.equal(last.of("patient")?.status?.phase, "Running");
  await remove("patient", 1);
  await lab.podGone(client(), "patient");
  assert.equal(last.of("patient")?.status?.phase, "Failed");
  assert.deepEqual([endOf("patient")?.exitCode, endOf("patient")?.signal], [137, 9]);
});

void test("CTL-113, CTL-115: readiness is still asked of a pod that is ending, liveness and startup no more", async () => {
  const probe = (script: string) => ({ exec: { command: ["sh", "-c", script] }, periodSeconds: 1, timeoutSeconds: 30 });
  await begin("leaving", "trap 'touch /tmp/leaving' TERM; touch /tmp/up; until [ -e /tmp/end ]; do sleep 0.05; done", {
    readinessProbe: { ...probe("! [ -e /tmp/leaving ]"), failureThreshold: 1 },
    livenessProbe: { ...probe("[ -e /tmp/leaving ] && echo asked >>/tmp/asked; true"), failureThreshold: 1 },
  });
  await remove("leaving", 600);
  const pod = await podThat(client(), "leaving", (each) => conditionOf(each, "Ready") === "False");
  assert.ok(pod.metadata.deletionTimestamp !== undefined);
  assert.equal(pod.status?.phase, "Running");
  // Readiness has been asked since, so liveness would have been too.
  const asked = await lab.inPod(part, "leaving", "cat /tmp/asked 2>/dev/null; true");
  assert.equal(asked, "");
  await lab.inPod(part, "leaving", "touch /tmp/end");
  await lab.podGone(client(), "leaving");
});

void test("nothing of a program lives on that forks, escapes its session and ignores every signal", async () => {
  const word = `escaped-${process.pid}`;
  const escape = `setsid sh -c "trap \\"\\" TERM INT HUP; (sh -c \\"while :; do sleep 0.1; done\\" ${word} &) ; sleep 1000" ${word} &`;
  await begin("escapes", `${escape} trap 'exit 0' TERM; ${LOOP}`);
  // So does a command that is run in it.
  await lab.inPod(part, "escapes", `setsid sh -c "while :; do sleep 0.1; done" ${word} </dev/null >/dev/null 2>&1 &`);
  await until("the escaped to run", async () => (await lab.processesWith(word)).length >= 3);
  await remove("escapes", 30);
  await lab.podGone(client(), "escapes");
  await until("nothing to be left", async () => (await lab.processesWith(word)).length === 0);
});

void test("a pod that is ending when the node leaves is ended by the next one", async () => {
  const word = `late-${process.pid}`;
  await begin("late", `sh -c "while :; do sleep 0.1; done" ${word} & ${DEAF}`);
  await remove("late", 600);
  await until("SIGTERM", async () =>
    (await lab.eventsOf(client(), "late")).includes("Killing Stopping container main"),
  );
  await part.stop();
  await remove("late", 1);
  part = await where.start();
  await lab.podGone(client(), "late");
  assert.equal(endOf("late")?.exitCode, 137);
  await until("nothing to be left", async () => (await lab.processesWith(word)).length === 0);
});
