/**
 * Proxies beside one API server, each a process of its own: Fairlead's in each of its modes, and the real kube-proxy in its, when KUBE_PROXY names one.
 * With 1,000, 10,000 and 45,000 Services of 10 endpoints: from the start of the process until the last Service answers, from the API's answer to one
 * changed endpoint until new connections go there (p50 and p99 of 200), the process's memory, and about the kernel's.
 * `SIZES=1000` measures one size, `MODES=nftables` one mode; a start is given up after PATIENCE seconds (240).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointSlice, Node, Service } from "../src/api/generated/types.ts";
import { endpointSlices, nodes, services } from "../src/api/resources.ts";
import type { Client } from "../src/client/client.ts";
import { ipBatch } from "../src/host/ip.ts";
import { systemHost } from "../src/host/processes.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { clientOf, kubeconfigOf, serveApiFor } from "./api-process.ts";
import { inMilliseconds } from "./percentiles.ts";

const SIZES = (process.env["SIZES"] ?? "1000,10000,45000").split(",").map(Number);
const MODES = (process.env["MODES"] ?? "nftables,iptables,userspace").split(",");
const PATIENCE = Number(process.env["PATIENCE"] ?? 240);
const CHANGES = 200;
const ENDPOINTS = 10;
const NAMESPACE = "default";
const NODE = "bench";
/** The node's own address; two programs listen there, one of which is the endpoint that changes. */
const ADDRESS = "192.0.2.1";
const PORTS = [8081, 8082] as const;
const ROOT = join(import.meta.dirname, "..");

const host = systemHost();
const octets = (number: number): string => `${(number >> 8) & 255}.${number & 255}`;
const ipOf = (number: number): string => `10.${96 + (number >> 16)}.${octets(number)}`;

interface Subject {
  readonly name: string;
  /** Undefined: it cannot be had here, for the reason. */
  readonly command: readonly [string, ...string[]] | undefined;
  readonly why?: string;
  readonly clean: readonly [string, ...string[]] | undefined;
}

function subjects(kubeconfig: string): Subject[] {
  const flags = (mode: string): string[] => [
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${NODE}`,
    `--proxy-mode=${mode}`,
    "--cluster-cidr=10.128.0.0/9",
  ];
  const fairlead = join(ROOT, "bin/fairlead");
  const kubeProxy = process.env["KUBE_PROXY"];
  return [
    ...MODES.map((mode): Subject => ({
      name: `Fairlead, ${mode}`,
      command: [fairlead, "proxy", ...flags(mode)],
      clean: [fairlead, "proxy", "--cleanup"],
    })),
    ...MODES.filter((mode) => mode !== "userspace").map((mode): Subject => ({
      name: `kube-proxy, ${mode}`,
      command: kubeProxy === undefined ? undefined : [kubeProxy, ...flags(mode), "--conntrack-max-per-core=0"],
      why: "KUBE_PROXY names none",
      clean: kubeProxy === undefined ? undefined : [kubeProxy, "--cleanup"],
    })),
  ];
}

const serviceOf = (number: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: NAMESPACE, name: `s${number}` },
  spec: { clusterIP: ipOf(number + 1000), ports: [{ name: "", port: 80, protocol: "TCP", targetPort: 8080 }] },
});

/** Ten endpoints; those of the Service `changing` lead to a port of this node. */
const sliceOf = (number: number, port: number | undefined): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: NAMESPACE, name: `s${number}-1`, labels: { "kubernetes.io/service-name": `s${number}` } },
  addressType: "IPv4",
  ports: [{ name: "", port: port ?? 8080, protocol: "TCP" }],
  endpoints:
    port === undefined
      ? Array.from({ length: ENDPOINTS }, (_, at) => ({
          addresses: [`10.${128 + (number >> 13)}.${octets((number * 8 + at) & 0xffff)}`],
          conditions: { ready: true },
        }))
      : [{ addresses: [ADDRESS], conditions: { ready: true }, nodeName: NODE }],
});

async function many(from: number, to: number, act: (number: number) => Promise<unknown>): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) await act(next++);
  };
  await Promise.all(Array.from({ length: 50 }, worker));
}

async function fill(client: Client, from: number, to: number): Promise<void> {
  await many(from, to, async (number) => {
    await client.create(services, serviceOf(number));
    await client.create(endpointSlices, sliceOf(number, number === 0 ? PORTS[0] : undefined));
  });
}

/** Which program answers a new connection to the changing Service; undefined: none does. */
const askOnce = (): Promise<string | undefined> =>
  new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: ipOf(1000), port: 80 });
    const timer = setTimeout(() => (resolve(undefined), socket.destroy()), 500);
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => (clearTimeout(timer), resolve(text === "" ? undefined : text)));
  });

async function untilAnswered(by: number | undefined, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const answer = await askOnce();
    if (answer !== undefined && (by === undefined || answer === String(by))) return true;
    // A look every millisecond is all that the measurement may take from the proxy's processor.
    await new Promise((resolve) => setTimeout(resolve, by === undefined ? 20 : 1));
  }
  return false;
}

/** Megabytes. */
function memoryOf(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
  return Number(pss?.[1] ?? Number.NaN) / 1024;
}
const free = (): number => Number(/^MemFree:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))![1]) / 1024;
const cached = (): number => Number(/^Cached:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))![1]) / 1024;

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await once(child, "exit");
  clearTimeout(hard);
};

async function measure(client: Client, subject: Subject, size: number): Promise<void> {
  const label = `${subject.name}, ${size} Services × ${ENDPOINTS}`;
  if (subject.command === undefined) {
    console.log(`${label}: not measured (${subject.why})`);
    return;
  }
  await client.update(endpointSlices, await fresh(client, PORTS[0]));
  const before = free() + cached();
  const began = performance.now();
  const [command, ...args] = subject.command;
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
  try {
    const answered = await Promise.race([
      untilAnswered(undefined, PATIENCE),
      once(child, "exit").then(() => undefined),
    ]);
    if (answered === undefined) {
      console.log(`${label}: not measured (it ended with ${child.exitCode}: ${complaints.trim().split("\n").at(-1)})`);
      return;
    }
    if (!answered) {
      console.log(`${label}: from its start to the first answer more than ${PATIENCE} s (given up)`);
      return;
    }
    const load = (performance.now() - began) / 1000;
    const samples: number[] = [];
    let missed = 0;
    for (let change = 1; change <= CHANGES + 5 && missed < 3; change++) {
      const port = PORTS[change % 2]!;
      await client.update(endpointSlices, await fresh(client, port));
      const from = performance.now();
      if (!(await untilAnswered(port, 30))) missed += 1;
      if (change > 5) samples.push(performance.now() - from); // The first ones warm the code.
    }
    const process = memoryOf(child.pid!);
    const kernel = before - free() - cached() - process;
    console.log(
      `${label}: start to first answer ${load.toFixed(2)} s; one endpoint, API answer to connections ${inMilliseconds(samples)}` +
        `${missed > 0 ? `, ${missed} not within 30 s` : ""}; process ${process.toFixed(0)} MB, all else about ${Math.max(0, kernel).toFixed(0)} MB`,
    );
  } finally {
    await end(child);
    if (subject.clean !== undefined) await host.run(subject.clean[0], subject.clean.slice(1), { timeout: 240_000 });
  }
}

async function fresh(client: Client, port: number): Promise<EndpointSlice> {
  const { metadata } = await client.get<EndpointSlice>(endpointSlices, { namespace: NAMESPACE, name: "s0-1" });
  return { ...sliceOf(0, port), metadata };
}

standOnOwnGround();
const folder = mkdtempSync(join(tmpdir(), "fl-bench-"));
const listeners = PORTS.map((port) => createServer((socket) => socket.end(String(port))));
try {
  await ipBatch(host, [
    "link add flbench type bridge",
    "link set flbench up",
    `addr add ${ADDRESS}/24 dev flbench`,
    "route add 10.96.0.0/12 dev flbench",
  ]);
  for (const [at, listener] of listeners.entries()) {
    listener.listen(PORTS[at], ADDRESS);
    await once(listener, "listening");
  }
  const api = await serveApiFor(folder);
  const client = clientOf(api);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(api), { mode: 0o600 });
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: NODE } };
  await client.create(nodes, node);
  await client.patch(
    nodes,
    { name: NODE },
    "merge",
    {
      status: { addresses: [{ type: "InternalIP", address: ADDRESS }] },
    },
    { subresource: "status" },
  );
  let filled = 0;
  for (const size of SIZES) {
    const began = performance.now();
    await fill(client, filled, size);
    console.log(`${size - filled} Services and slices created in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    filled = size;
    for (const subject of subjects(kubeconfig)) await measure(client, subject, size);
  }
  client.close();
  await api.close();
} finally {
  for (const listener of listeners) listener.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
