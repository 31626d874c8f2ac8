/**
 * New connections from a pod through a ClusterIP to a pod of the same node: direct, and through each engine with 1 and with 10,000 Services; connections
 * a second and the time to the first byte. Client, server and whatever carries in userspace are pinned to one processor. Beside each
 * round of a way goes one of direct connections, since the machine is not the same from minute to minute. Rivals in the same run: a ruleset of a chain for each Service and endpoint, as kube-proxy's is, and HAProxy in TCP
 * mode. IPVS: `test/proxy` measures it in user-mode Linux, whose figures mean nothing beside these.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { EndpointSlice, Service } from "../src/api/generated/types.ts";
import { openEngine, PROXY_ENGINES } from "../src/cli/proxy-engines.ts";
import { loadText } from "../src/host/nft.ts";
import type { Host, Running } from "../src/host/host.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import type { AnyEngine, ProxyMode } from "../src/proxy/engine.ts";
import { Carried } from "../test/proxy/lab/carried.ts";
import { openNetwork, PODS, type Network } from "../test/proxy/lab/network.ts";
import { nodePlan } from "../test/proxy/lab/objects.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { percentile } from "./percentiles.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
const MILLISECONDS = 1000;
const MANY = Number(process.env["SERVICES"] ?? 10_000);
const PORT = 9000;
const CPU = "1";
const VIP = "10.96.0.1";
const SOCKETS = fileURLToPath(new URL("blocking-sockets.ts", import.meta.url));

interface Answer {
  readonly connections: number;
  readonly failed: number;
  readonly latencies: readonly number[];
}
interface Way {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  /** Makes the way, alone on the node; answers what takes it away. */
  make(): Promise<() => Promise<void>>;
  readonly rates: number[];
  readonly latencies: number[];
}

const octets = (number: number): string => `${(number >> 8) & 255}.${number & 255}`;
const service = (number: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "bench", name: `s${number}` },
  spec: { clusterIP: `10.96.${octets(number + 1)}`, ports: [{ name: "", port: 80 }] },
});
const slice = (number: number): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: "bench", name: `s${number}-1`, labels: { "kubernetes.io/service-name": `s${number}` } },
  addressType: "IPv4",
  ports: [{ name: "", port: PORT, protocol: "TCP" }],
  endpoints:
    number === 0
      ? [{ addresses: [PODS.pod2.IPv4], nodeName: "node1" }]
      : Array.from({ length: 10 }, (_, at) => ({ addresses: [`10.244.${octets((number * 10 + at) & 0xffff)}`] })),
});

async function throughEngine(mode: ProxyMode, host: Host, services: number): Promise<() => Promise<void>> {
  const engine: AnyEngine = await openEngine(mode, {
    host,
    families: ["IPv4"],
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  const carried = new Carried(engine, nodePlan({ families: ["IPv4"] }));
  for (let number = 0; number < services; number++) carried.set(service(number), [slice(number)]);
  await carried.apply();
  return async () => {
    await engine.cleanup(AbortSignal.timeout(120_000));
    await engine.close();
  };
}

/** The shape of kube-proxy's: a verdict map of Services, a chain for each, and one for each endpoint. */
function chains(services: number): string[] {
  const all = Array.from({ length: services }, (_, number) => ({
    ip: service(number).spec!.clusterIP!,
    targets: (slice(number).endpoints ?? []).map(({ addresses }) => addresses[0]!),
  }));
  const batches: string[] = [
    "table ip rival {\nmap services { type ipv4_addr . inet_proto . inet_service : verdict; }\nchain every { ip daddr . meta l4proto . th dport vmap @services; }\n" +
      "chain pre { type nat hook prerouting priority -100; goto every; }\nchain out { type nat hook output priority -100; goto every; }\n}\n",
  ];
  for (let at = 0; at < all.length; at += 500) {
    const lines: string[] = [];
    for (const [offset, { ip, targets }] of all.slice(at, at + 500).entries()) {
      const name = `s${at + offset}`;
      for (const [index, target] of targets.entries()) {
        lines.push(
          `add chain ip rival ${name}-${index}`,
          `add rule ip rival ${name}-${index} meta l4proto tcp dnat to ${target}:${PORT}`,
        );
      }
      const choice = targets.map((_, index) => `${index} : goto ${name}-${index}`).join(", ");
      lines.push(
        `add chain ip rival ${name}`,
        `add rule ip rival ${name} numgen random mod ${targets.length} vmap { ${choice} }`,
        `add element ip rival services { ${ip} . tcp . 80 : goto ${name} }`,
      );
    }
    batches.push(`${lines.join("\n")}\n`);
  }
  return batches;
}

async function throughChains(host: Host, services: number): Promise<() => Promise<void>> {
  for (const batch of chains(services)) await loadText(host, batch);
  return async () => void (await host.check("nft", ["delete", "table", "ip", "rival"], { timeout: 300_000 }));
}

async function throughHaproxy(host: Host): Promise<() => Promise<void>> {
  const config = `global\n nbthread 1\ndefaults\n mode tcp\n timeout connect 2s\n timeout client 5s\n timeout server 5s\nlisten web\n bind ${VIP}:80\n server one ${PODS.pod2.IPv4}:${PORT}\n`;
  await host.check("ip", ["addr", "add", `${VIP}/32`, "dev", "lo"]);
  const folder = mkdtempSync(join(tmpdir(), "fl-haproxy-"));
  writeFileSync(join(folder, "haproxy.cfg"), config);
  const running = await host.open("haproxy", ["-q", "-db", "-f", join(folder, "haproxy.cfg")], { stderr: "inherit" });
  return async () => {
    running.kill();
    await running.ended;
    rmSync(folder, { recursive: true });
    await host.check("ip", ["addr", "del", `${VIP}/32`, "dev", "lo"]);
  };
}

async function start(network: Network): Promise<{ client: (way: Way) => Promise<Answer>; end(): Promise<void> }> {
  const pinned = (host: Host, ...args: string[]): Promise<Running> =>
    host.open("taskset", ["-c", CPU, process.execPath, SOCKETS, ...args], { stderr: "inherit" });
  const server = await pinned(network.at("pod2"), "server", PODS.pod2.IPv4, String(PORT));
  await new Promise((resolve) => server.stdout.once("data", resolve));
  const client = await pinned(network.at("pod1"), "client");
  const lines = createInterface({ input: client.stdout });
  return {
    client: ({ ip, port }) =>
      new Promise((resolve) => {
        lines.once("line", (line) => resolve(JSON.parse(line) as Answer));
        client.stdin.write(`${JSON.stringify({ ip, port, milliseconds: MILLISECONDS })}\n`);
      }),
    async end() {
      for (const running of [client, server]) {
        running.kill("SIGKILL");
        await running.ended;
      }
    },
  };
}

standOnOwnGround();
await systemHostPinned();
const network = await openNetwork();
const node = network.at("node");
const hasHaproxy = (await node.which("haproxy")) !== undefined;
const way = (name: string, make: Way["make"], ip = VIP, port = 80): Way => ({
  name,
  ip,
  port,
  make,
  rates: [],
  latencies: [],
});
const direct = way("direct", async () => async () => {}, PODS.pod2.IPv4, PORT);
const ways: Way[] = [
  direct,
  ...Object.keys(PROXY_ENGINES)
    .filter((mode) => mode !== "ipvs")
    .flatMap((mode) =>
      (mode === "userspace" ? [1] : [1, MANY]).map((services) =>
        way(`${mode}, ${services} Services`, () => throughEngine(mode as ProxyMode, node, services)),
      ),
    ),
  ...[1, 1000].map((services) => way(`rival: chains, ${services} Services`, () => throughChains(node, services))),
  ...(hasHaproxy ? [way("rival: HAProxy, TCP", () => throughHaproxy(node))] : []),
];
const load = await start(network);
try {
  for (const one of ways) {
    const remove = await one.make();
    // HAProxy takes a moment to listen.
    for (let tries = 0; tries < 10 && (await load.client(one)).failed > 0; tries++);
    await load.client(one); // A first round warms.
    const shares: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const bare = await load.client(direct);
      const { connections, failed, latencies } = await load.client(one);
      if (failed > 0) throw new Error(`${one.name}: ${failed} of ${connections + failed} connections failed`);
      one.rates.push((connections * 1000) / MILLISECONDS);
      shares.push(connections / bare.connections);
      for (const latency of latencies) one.latencies.push(latency);
    }
    await remove();
    const middle = percentile(one.rates, 0.5);
    console.log(
      `${one.name.padEnd(34)} ${middle.toFixed(0).padStart(6)} connections/s (${Math.min(...one.rates).toFixed(0)} to ${Math.max(...one.rates).toFixed(0)})` +
        `  first byte p50 ${percentile(one.latencies, 0.5).toFixed(0)} µs  p99 ${percentile(one.latencies, 0.99).toFixed(0)} µs` +
        `  ${percentile(shares, 0.5).toFixed(3)} of direct`,
    );
  }
  if (!hasHaproxy) console.log("rival: HAProxy: not measured (it is not installed)");
} finally {
  await load.end();
  await network.close();
}
process.exit();

/** Userspace engines run in this process: it stands on the same processor as client and server. */
async function systemHostPinned(): Promise<void> {
  const { systemHost } = await import("../src/host/processes.ts");
  await systemHost().check("taskset", ["-a", "-cp", CPU, String(process.pid)]);
}
