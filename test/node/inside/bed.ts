import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Event, Pod, PodSpec } from "../../../src/api/generated/types.ts";
import { events, pods } from "../../../src/api/resources.ts";
import { identityOf, isRunning, type ProcessIdentity } from "../../../src/host/process-identity.ts";
import { readMounts } from "../../../src/host/mounts.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { createLog, silentLog } from "../../../src/observe/log.ts";
import { stayAwake } from "../../../src/observe/stay-awake.ts";
import { startNode, type NodeOptions, type NodePart } from "../../../src/node/node.ts";
import { startedProcess } from "../../../src/node/runtimes/process/started.ts";
import { readReport } from "../../../src/node/runtimes/process/status-file.ts";
import { podRecords } from "../../../src/node/state/pod-record.ts";
import { until } from "../../lab/until.ts";
import { fakeClient, type FakeClient } from "../fake-client.ts";

export const rootless = process.env["FAIRLEAD_ROOTLESS"] === "1";
export const host = systemHost();

/** A node in the namespaces this test process is in. */
export interface Bed {
  readonly client: FakeClient;
  readonly directory: string;
  readonly hidden: string;
  /** `more` is what differs from the options that the bed was made with. */
  start(more?: Partial<NodeOptions>): Promise<NodePart>;
  /** Takes away everything, as `down` does, and fails when a link, a namespace or a process of any pod outlives it. */
  end(part: NodePart): Promise<void>;
}

/** The processes of all containers that are on record and run: what watches each, and its first one. */
async function processesOf(directory: string): Promise<ProcessIdentity[]> {
  const records = await podRecords(join(directory, "state")).load();
  const started = records
    .filter(({ runtime }) => runtime === "process")
    .flatMap((record) =>
      Object.values(record.containers).flatMap(({ started: one }) => (one === undefined ? [] : [startedProcess(one)])),
    );
  const pids = await Promise.all(
    started.map(async ({ monitor, statusFile }) => {
      const { init } = readReport(await readFile(statusFile, "utf8").catch(() => ""));
      return init === undefined ? [monitor.pid] : [monitor.pid, init];
    }),
  );
  return (await Promise.all(pids.flat().map(identityOf))).filter((process) => process !== undefined);
}

/** What of this node's is outside its directory: cgroups, and volumes in memory. */
async function leftOutside(directory: string): Promise<string[]> {
  const name = `fairlead-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`;
  const points = (await readMounts()).filter(({ type }) => type.startsWith("cgroup")).map(({ point }) => point);
  const found = await Promise.all(
    ["/dev/shm", ...points].map((point) => readdir(point, { recursive: true }).catch(() => [])),
  );
  return found.flat().filter((path) => path.split("/").includes(name));
}

async function endBed(directory: string, hidden: string, part: NodePart): Promise<void> {
  const running = await processesOf(directory);
  // Nothing else keeps this process while it waits for programs to end.
  await stayAwake(part.removeAll());
  const { stdout } = await host.check("ip", ["-o", "link"]);
  const namespaces = await host.check("ip", ["netns", "list"]);
  await rm(hidden, { recursive: true, force: true });
  assert.doesNotMatch(stdout, /fl([0-9a-f]{8}|shared)/, "no link is left");
  assert.equal(namespaces.stdout, "", "no namespace is left");
  assert.deepEqual(await leftOutside(directory), [], "no cgroup and no memory is left");
  for (const process of running) {
    await until(`process ${process.pid} to end`, async () => !(await isRunning(process)));
  }
}

export async function bed(options: Partial<NodeOptions> = {}): Promise<Bed> {
  const hidden = await mkdtemp("/var/tmp/fairlead-node-");
  const directory = join(hidden, "node");
  const client = fakeClient();
  return {
    client,
    directory,
    hidden,
    start: (more = {}) =>
      startNode({
        client,
        host,
        clock: systemClock,
        random: Math.random,
        log:
          process.env["FAIRLEAD_LOG"] === undefined
            ? silentLog
            : createLog("node", "debug", (line) => process.stderr.write(line)),
        nodeName: "n1",
        nodeAddresses: ["10.244.0.1", "fd00:10:244::1"],
        podRanges: ["10.244.0.0/16", "fd00:10:244::/64"],
        gateways: ["10.244.0.1", "fd00:10:244::1"],
        directory,
        hidden: [hidden],
        clusterDNS: ["10.96.0.10"],
        clusterDomain: "cluster.local",
        rootless,
        runtime: "process",
        nodeBinary: process.execPath,
        capacity: { cpu: "2", memory: "1Gi", pods: "250" },
        version: "v1.36.2+fairlead.test",
        ...options,
        ...more,
      }),
    end: (part) => endBed(directory, hidden, part),
  };
}

export const podObject = (name: string, spec: Partial<PodSpec>, container: Partial<Container> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default" },
  spec: { nodeName: "n1", ...spec, containers: spec.containers ?? [{ name: "main", ...container }] },
});

export const shell = (script: string): Partial<Container> => ({ command: ["sh", "-c", script] });

/** The pod once it is as asked. */
export const podThat = (client: FakeClient, name: string, is: (pod: Pod) => boolean, seconds?: number): Promise<Pod> =>
  until(
    `pod ${name} as asked`,
    () => {
      const pod = client.find(pods, "default", name) as Pod | undefined;
      return pod !== undefined && is(pod) ? pod : undefined;
    },
    seconds === undefined ? {} : { seconds },
  ).catch((error: unknown) => {
    const pod = client.find(pods, "default", name) as Pod | undefined;
    throw new Error(`${(error as Error).message}; it is ${JSON.stringify(pod?.status)}`, { cause: error });
  });

export const conditionOf = (pod: Pod, type: string): string | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type)?.status;
export const exitCodeOf = (pod: Pod): number | undefined =>
  pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode;

/** What a shell says in a running container. */
export async function said(part: NodePart, pod: string, script: string, container = "main"): Promise<string> {
  const at = { namespace: "default", pod, container };
  const execution = await part.source.exec(at, { command: ["sh", "-c", script], stdin: false });
  const chunks: Buffer[] = [];
  for (const stream of [execution.stdout, execution.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await execution.ended;
  return Buffer.concat(chunks).toString();
}

/** Why a pod's container waits, once that is said. */
export async function waitingFor(client: FakeClient, name: string): Promise<string> {
  const message = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[0]?.state?.waiting?.message;
  return message(await podThat(client, name, (each) => message(each) !== undefined)) ?? "";
}

/** The message of an event about an object, once it is told. */
export const told = (client: FakeClient, name: string, reason: string): Promise<string> =>
  until(`an event ${reason} of ${name}`, async () => {
    const { items } = await client.list<Event>(events);
    return items.find((event) => event.reason === reason && event.involvedObject.name === name)?.message;
  });

/** Runs a pod to its end and answers what it said. */
export async function output(
  client: FakeClient,
  part: NodePart,
  name: string,
  pod: Pod,
): Promise<{ text: string; exitCode: number }> {
  client.put(pods, { ...pod, spec: { ...pod.spec!, restartPolicy: "Never" } });
  const ended = await podThat(client, name, (each) => exitCodeOf(each) !== undefined);
  return { text: await logOf(part, name), exitCode: exitCodeOf(ended)! };
}

export async function logOf(part: NodePart, pod: string, options = {}): Promise<string> {
  const chunks: Buffer[] = [];
  const signal = new AbortController().signal;
  for await (const chunk of part.source.logs({ namespace: "default", pod, container: "main" }, options, signal))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The events told of a pod, as `REASON message`. */
export const eventsOf = async (client: FakeClient, name: string): Promise<string[]> =>
  (await client.list<Event>(events)).items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ reason, message }) => `${reason} ${message}`);

/** Runs a command in a pod's container; answers what it said. Fails when the command does. */
export async function inPod(part: NodePart, pod: string, command: string, container = "main"): Promise<string> {
  const at = { namespace: "default", pod, container };
  const execution = await part.source.exec(at, { command: ["sh", "-c", command], stdin: false });
  const chunks: Buffer[] = [];
  execution.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  assert.equal(await execution.ended, 0, `${command}: ${Buffer.concat(chunks).toString()}`);
  return Buffer.concat(chunks).toString();
}

/** Keeps the last state of every pod, also of one that is gone. */
export function lastOf(client: FakeClient): { of(name: string): Pod | undefined; stop(): void } {
  const seen = new Map<string, Pod>();
  const stopping = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const { object } of client.watch<Pod>(pods, { resourceVersion: "0" }, stopping.signal)) {
      seen.set(object.metadata.name ?? "", object as Pod);
    }
  };
  void follow();
  return { of: (name) => seen.get(name), stop: () => stopping.abort() };
}

/** Waits until the pod's object is gone. */
export const podGone = (client: FakeClient, name: string, seconds = 30): Promise<unknown> =>
  until(`pod ${name} to be gone`, () => client.find(pods, "default", name) === undefined, { seconds });

/** The processes of this machine whose command line has the word. */
export async function processesWith(word: string): Promise<number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(names.map((name) => readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "")));
  return names.filter((_, index) => lines[index]!.includes(word)).map(Number);
}
