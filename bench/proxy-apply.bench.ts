// Full load of Services with 10 endpoints each (1,000, or as many as the argument says), and the change of one endpoint,
// through the nftables engine; beside it a rival that spawns `nft -f -` for the same change. In a network namespace of
// its own; needs root. `--no-restart` leaves out reading all back, which nft takes long for.
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { EndpointSlice, Service } from "../src/api/generated/types.ts";
import { keyOf } from "../src/api/object.ts";
import type { Host } from "../src/host/host.ts";
import { systemHost } from "../src/host/processes.ts";
import { nftablesEngine } from "../src/proxy/engines/nftables/engine.ts";
import type { NodePlan } from "../src/proxy/plan/plan.ts";
import { Tracker } from "../src/proxy/plan/tracker.ts";

const SERVICES = Number(process.argv.slice(2).find((word) => !word.startsWith("--")) ?? 1000);
const ENDPOINTS = 10;
const CHANGES = 200;

const host = systemHost();
const namespace = `flbench${process.pid}`;
const wrap = (command: string, args: readonly string[]): [string, string[]] => [
  "nsenter",
  [`--net=/run/netns/${namespace}`, "--", command, ...args],
];
const inside: Host = {
  ...host,
  run: (command, args, options) => host.run(...wrap(command, args), options),
  open: (command, args, options) => host.open(...wrap(command, args), options),
};

const node: NodePlan = {
  nodeName: "bench",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: ["192.0.2.1"], IPv6: [] },
  localhostNodePorts: false,
  serviceRanges: ["10.96.0.0/12"],
  localDetector: { by: "ranges", ranges: ["10.128.0.0/9"] },
  nodeAddresses: ["192.0.2.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};

const octets = (number: number): string => `${(number >> 8) & 255}.${number & 255}`;
const service = (number: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "bench", name: `s${number}` },
  spec: { clusterIP: `10.96.${octets(number + 1)}`, ports: [{ name: "", port: 80 }] },
});
const slice = (number: number, round: number): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: "bench", name: `s${number}-1`, labels: { "kubernetes.io/service-name": `s${number}` } },
  addressType: "IPv4",
  ports: [{ name: "", port: 8080, protocol: "TCP" }],
  endpoints: Array.from({ length: ENDPOINTS }, (_, at) => ({
    addresses: [
      `10.${at === 0 && round > 0 ? 140 + (round % 100) : 128 + ((number * ENDPOINTS + at) >> 16)}.${octets(number * ENDPOINTS + at)}`,
    ],
  })),
});

/** Milliseconds of each step of the first round. */
const spent = { plan: 0, compile: 0, apply: 0 };
const processor = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
/** Bytes that the kernel holds for itself; other programs of the machine are in it too, so this is about right only. */
const kernelMemory = async (): Promise<number> => {
  const text = await readFile("/proc/meminfo", "utf8");
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) * 1024;
  return of("SUnreclaim") + of("VmallocUsed");
};
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;

const percentile = (values: readonly number[], share: number): string =>
  `${values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1]!.toFixed(2)} ms`;
const line = (what: string, values: readonly number[]): void =>
  console.log(`${what.padEnd(48)} p50 ${percentile(values, 0.5)}  p99 ${percentile(values, 0.99)}  (${values.length})`);

await host.check("ip", ["netns", "add", namespace]);
const engine = nftablesEngine(inside, ["IPv4"]);
try {
  const signal = new AbortController().signal;
  const tracker = new Tracker({ nodeName: node.nodeName, zone: undefined, families: node.families });
  const frame = engine.compileNode(node);
  const parts = new Map<string, ReturnType<typeof engine.compile>>();
  let applied = await engine.read(signal);
  const round = async (): Promise<void> => {
    const changed = new Set<string>();
    const start = performance.now();
    const plans = tracker.replan();
    const planned = performance.now();
    for (const [key, plan] of plans) {
      changed.add(key);
      if (plan !== undefined) parts.set(key, engine.compile(plan, node));
    }
    const compiled = performance.now();
    applied = await engine.apply({ frame, parts, changed }, applied, signal);
    spent.plan += planned - start;
    spent.compile += compiled - planned;
    spent.apply += performance.now() - compiled;
  };
  const kernelBefore = await kernelMemory();
  const begun = performance.now();
  for (let number = 0; number < SERVICES; number++) {
    tracker.setService(keyOf(service(number)), service(number));
    tracker.setSlice(keyOf(slice(number, 0)), slice(number, 0));
  }
  await round();
  const loaded = performance.now() - begun;
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${(await host.check("nft", ["--version"])).stdout.trim()}`,
  );
  console.log(
    `full load, ${SERVICES} Services × ${ENDPOINTS}: ${loaded.toFixed(0)} ms (plan ${spent.plan.toFixed(0)}, compile ${spent.compile.toFixed(0)}, diff and nft ${spent.apply.toFixed(0)}; own processor time ${processor().toFixed(0)} ms)`,
  );
  globalThis.gc?.();
  console.log(
    `memory: ${megabytes(process.memoryUsage.rss())} of this process (heap ${megabytes(process.memoryUsage().heapUsed)}), ${megabytes((await kernelMemory()) - kernelBefore)} more of the kernel`,
  );

  const ours: number[] = [];
  for (let at = 0; at < CHANGES + 10; at++) {
    const number = (at * 7919) % SERVICES;
    const start = performance.now();
    tracker.setSlice(keyOf(slice(number, at + 1)), slice(number, at + 1));
    await round();
    if (at >= 10) ours.push(performance.now() - start); // The first ones start nft and warm the code.
  }
  line("one endpoint, event to kernel: this engine", ours);

  // The rival changes the very same element, with nothing to plan: its process is all it pays for.
  const rival: number[] = [];
  const [key, held] = [...applied.table.of("IPv4", "bet")][0]!;
  for (let at = 0; at < CHANGES; at++) {
    const input = `delete element ip fairlead bet { ${key} }\nadd element ip fairlead bet { ${key} : ${held.data} }\n`;
    const start = performance.now();
    const { code, stderr } = await inside.run("nft", ["-f", "-"], { input });
    if (code !== 0) throw new Error(stderr);
    rival.push(performance.now() - start);
  }
  line("one endpoint: rival, spawning nft -f -", rival);

  const looks: number[] = [];
  for (let at = 0; at < 20; at++) {
    const start = performance.now();
    // The rival wrote beside our back what is as it was.
    if (!(await engine.intact(applied, signal))) throw new Error("what was written is not there");
    looks.push(performance.now() - start);
  }
  line("a look whether all is still there", looks);

  if (!process.argv.includes("--no-restart")) {
    const restart = performance.now();
    const found = await engine.read(signal);
    await engine.apply({ frame, parts }, found, signal);
    console.log(`restart: read back and find nothing to change: ${(performance.now() - restart).toFixed(0)} ms`);
  }
} finally {
  await engine.close();
  await host.run("ip", ["netns", "del", namespace]);
}
