/** Ways of a connection from a pod to a pod of the same node, for the benchmarks that compare them. */
import type { EndpointSlice, Service } from "../src/api/generated/types.ts";
import { openEngine } from "../src/cli/proxy-engines.ts";
import type { Host } from "../src/host/host.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import type { AnyEngine, ProxyMode } from "../src/proxy/engine.ts";
import { Carried } from "../test/proxy/lab/carried.ts";
import { PODS } from "../test/proxy/lab/network.ts";
import { nodePlan } from "../test/proxy/lab/objects.ts";

/** Where the server listens that is called through a Service. */
export const PORT = 9000;
/** Where the one listens that is called directly: IPVS takes an answer from `PORT` to a client's port that it knows for its own. */
export const DIRECT_PORT = 9001;
/** The clusterIP that the client calls. */
export const VIP = "10.96.0.1";

export interface Way {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  /** Makes the way, alone on the node; answers what takes it away. */
  make(): Promise<() => Promise<void>>;
  readonly rates: number[];
  readonly latencies: number[];
}

export const way = (name: string, make: Way["make"], ip = VIP, port = 80): Way => ({
  name,
  ip,
  port,
  make,
  rates: [],
  latencies: [],
});
/** From pod to pod, with nobody between. */
export const direct = (): Way => way("direct", async () => async () => {}, PODS.pod2.IPv4, DIRECT_PORT);

const octets = (number: number): string => `${(number >> 8) & 255}.${number & 255}`;
/** The Service of a number; that of 0 is the one that is called. */
export const service = (number: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "bench", name: `s${number}` },
  spec: { clusterIP: `10.96.${octets(number + 1)}`, ports: [{ name: "", port: 80 }] },
});
/** Its endpoints: of 0 the server, of the others ten that nobody calls. */
export const slice = (number: number): EndpointSlice => ({
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

/** Service traffic by an engine, with this many Services. */
export async function throughEngine(engine: AnyEngine, services: number): Promise<() => Promise<void>> {
  const support = await engine.supported();
  if (!support.supported) throw new Error(`${engine.name} cannot run here: ${support.missing}`);
  const carried = new Carried(engine, nodePlan({ families: ["IPv4"] }));
  for (let number = 0; number < services; number++) carried.set(service(number), [slice(number)]);
  await carried.apply();
  return async () => {
    await engine.cleanup(AbortSignal.timeout(120_000));
    await engine.close();
  };
}

/** Opens the engine of a mode, for IPv4. */
export const engineOf = (mode: ProxyMode, host: Host): Promise<AnyEngine> =>
  openEngine(mode, { host, families: ["IPv4"], clock: systemClock, random: Math.random, log: silentLog });
