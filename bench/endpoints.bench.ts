/**
 * Pods that turn ready, until the EndpointSlices say so: an API server, the controllers and this process, the client, each a
 * process of its own. One pod's change at a time (from the answer to the write of its status until another client hears of the
 * slice) in Services of 100, 1,000 and 10,000 pods; 10,000 pods at once, with the slices' writes counted; and what the
 * controllers take at rest beside 5,000 Services of 2 pods. Beside it kube-apiserver, etcd and kube-controller-manager when
 * KUBE_APISERVER, KUBE_CONTROLLER_MANAGER and ETCD name them; with FAST also without its limit of 20 requests a second. What
 * could not be had is not measured, and said.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointSlice, Lease, Node, Pod, Service } from "../src/api/generated/types.ts";
import { endpointSlices, leases, nodes, pods, services } from "../src/api/resources.ts";
import type { Client } from "../src/client/client.ts";
import { microTimestamp } from "../src/observe/clock.ts";
import { until } from "../test/lab/until.ts";
import { clientOf, fairlead, kubernetes, type Measured } from "./endpoints-subjects.ts";
import { inMilliseconds } from "./percentiles.ts";

const SIZES = (process.env["SIZES"] ?? "100,1000,10000").split(",").map(Number);
const SERVICES = Number(process.env["SERVICES"] ?? 5000);
const SAMPLES = 200;
/** Milliseconds between one change's effect and the next change: ten changes a second, which any of these keeps up with. */
const PAUSE = 100;
const CLIENTS = 50;
const REST = 10;
const NAMESPACE = "default";

/** What the process alone holds of the machine's memory, shared pages by its part of them. */
const memoryOf = (pid: number): string => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return `${Math.round(Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024)} MB`;
};
/** Seconds of a processor that the process has used. */
function usedBy(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** `each` for all numbers below `count`, by some clients at once. */
async function all(count: number, each: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await each(at);
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
}

/** What another client hears of slices: by pod, whether its endpoint is ready; and how many writes there were. */
interface Heard {
  readonly ready: Map<string, boolean>;
  writes: number;
  /** Called after each event. */
  listener: () => void;
  stop(): void;
}

async function listen(client: Client): Promise<Heard> {
  const ending = new AbortController();
  const heard: Heard = { ready: new Map(), writes: 0, listener: () => {}, stop: () => ending.abort() };
  const take = ({ endpoints }: EndpointSlice): void => {
    // Where there are none, Kubernetes says null.
    for (const { targetRef, conditions } of endpoints ?? [])
      heard.ready.set(targetRef?.name ?? "", conditions?.ready === true);
  };
  const { metadata } = await client.list(endpointSlices);
  const run = async (): Promise<void> => {
    const from = { resourceVersion: metadata.resourceVersion ?? "" };
    for await (const { type, object } of client.watch<EndpointSlice>(endpointSlices, from, ending.signal)) {
      if (type === "ADDED" || type === "MODIFIED") {
        heard.writes += 1;
        take(object);
      }
      heard.listener();
    }
  };
  void run().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  return heard;
}

/** Resolves at the event with which the condition holds. */
const hears = (heard: Heard, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    heard.listener = () => {
      if (!holds()) return;
      heard.listener = () => {};
      resolve();
    };
    heard.listener();
  });

const addPods = (
  client: Client,
  count: number,
  name: (at: number) => string,
  labels: (at: number) => Record<string, string>,
) =>
  all(count, (at) =>
    client.create<Pod>(pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: NAMESPACE, name: name(at), labels: labels(at) },
      spec: {
        nodeName: "node-1",
        containers: [{ name: "c", image: "none", ports: [{ name: "web", containerPort: 8080 }] }],
      },
    }),
  );
let addresses = 0;
const ips = new Map<string, string>();
function setReady(client: Client, name: string, ready: boolean): Promise<unknown> {
  let ip = ips.get(name);
  if (ip === undefined) {
    addresses += 1;
    ips.set(name, (ip = `10.${128 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`));
  }
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  const status = { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions };
  return client.patch(pods, { namespace: NAMESPACE, name }, "merge", { status }, { subresource: "status" });
}
const addService = (client: Client, name: string, selector: Record<string, string>): Promise<Service> =>
  client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: NAMESPACE, name },
    spec: { selector, ports: [{ name: "http", port: 80, targetPort: "web" }] },
  });

async function manyServices(client: Client, heard: Heard, controllers: number): Promise<void> {
  const began = performance.now();
  await all(SERVICES, (at) => addService(client, `pair-${at}`, { pair: `p${at}` }));
  await addPods(
    client,
    SERVICES * 2,
    (at) => `pair-${at}`,
    (at) => ({ pair: `p${at >> 1}` }),
  );
  await all(SERVICES * 2, (at) => setReady(client, `pair-${at}`, true));
  await hears(heard, () => heard.ready.size === SERVICES * 2 && [...heard.ready.values()].every(Boolean));
  console.log(
    `  ${SERVICES} Services of 2 pods, made and ready in slices: ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  await pause(3000);
  const used = usedBy(controllers);
  await pause(REST * 1000);
  const share = (((usedBy(controllers) - used) / REST) * 100).toFixed(1);
  console.log(`  controllers at rest beside them: ${memoryOf(controllers)}, ${share} % of a processor`);
}

async function oneByOne(client: Client, heard: Heard, size: number): Promise<void> {
  const name = (at: number): string => `of-${size}-${at}`;
  await addService(client, `of-${size}`, { size: `${size}` });
  await addPods(client, size, name, () => ({ size: `${size}` }));
  await all(size, (at) => setReady(client, name(at), true));
  await hears(heard, () => [...heard.ready.keys()].filter((key) => key.startsWith(`of-${size}-`)).length === size);
  await pause(3000);
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const pod = name((sample * 7919) % size);
    const next = heard.ready.get(pod) !== true;
    let seen = 0;
    const effect = hears(heard, () => heard.ready.get(pod) === next).then(() => (seen = performance.now()));
    await setReady(client, pod, next);
    const answered = performance.now();
    await effect;
    samples.push(Math.max(0, seen - answered));
    await pause(PAUSE);
  }
  console.log(`  one pod of ${size} changes: ${inMilliseconds(samples)}`);
}

async function atOnce(client: Client, heard: Heard, size: number): Promise<void> {
  const name = (at: number): string => `of-${size}-${at}`;
  const have = (ready: boolean) => (): boolean => {
    for (let at = 0; at < size; at += 1) if (heard.ready.get(name(at)) !== ready) return false;
    return true;
  };
  await all(size, (at) => setReady(client, name(at), false));
  await hears(heard, have(false));
  await pause(3000);
  heard.writes = 0;
  const began = performance.now();
  const effect = hears(heard, have(true));
  await all(size, (at) => setReady(client, name(at), true));
  const written = performance.now();
  await effect;
  const seconds = (from: number): string => ((performance.now() - from) / 1000).toFixed(1);
  const took = seconds(began);
  const after = seconds(written);
  await pause(1500);
  const slices = Math.ceil(size / 100);
  console.log(
    `  ${size} pods turn ready at once: all in slices ${took} s after the first, ${after} s after the last; ${heard.writes} writes of ${slices} slices`,
  );
}

/** Renews the node's Lease, or after a while its pods would be taken for lost. Answers how to end it. */
async function keepAlive(client: Client): Promise<() => void> {
  const at = { namespace: "kube-node-lease", name: "node-1" };
  const spec = (): Lease["spec"] => ({ holderIdentity: at.name, renewTime: microTimestamp(Date.now()) });
  const lease: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: at, spec: spec() };
  await until("the node's Lease", () => client.create(leases, lease), { seconds: 60, every: 200 });
  const renewing = setInterval(() => {
    client.patch(leases, at, "merge", { spec: spec() }).catch((error: unknown) => console.error(error));
  }, 10_000);
  return () => clearInterval(renewing);
}

async function measure(name: string, measured: Measured): Promise<void> {
  console.log(name);
  ips.clear();
  addresses = 0;
  const client = clientOf(measured);
  const other = clientOf(measured);
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } };
  await until("the node to be made", () => client.create<Node>(nodes, node), { seconds: 60, every: 200 });
  const letGo = await keepAlive(client);
  const heard = await listen(other);
  await manyServices(client, heard, measured.controllers);
  for (const size of SIZES) await oneByOne(client, heard, size);
  await atOnce(client, heard, Math.max(...SIZES));
  letGo();
  heard.stop();
  client.close();
  other.close();
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const run = async (name: string, start: () => Promise<Measured>): Promise<void> => {
    const measured = await start();
    try {
      await measure(name, measured);
    } finally {
      await measured.close();
    }
  };
  try {
    await run("Fairlead on SQLite", () => fairlead(folder));
    const missing = ["KUBE_APISERVER", "KUBE_CONTROLLER_MANAGER"].filter((name) => process.env[name] === undefined);
    if (missing.length > 0) {
      console.log(`rival: kube-controller-manager: not measured (${missing.join(" and ")} should name programs)`);
      return;
    }
    await run("rival: kube-controller-manager beside kube-apiserver on etcd", () => kubernetes());
    if (process.env["FAST"] !== undefined) {
      // By default it makes 20 requests a second; a rival that waits for itself says little about work.
      await run("rival: the same without its limit of requests", () =>
        kubernetes("--kube-api-qps=5000", "--kube-api-burst=10000"),
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await bench();
