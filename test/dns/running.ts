import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as packets from "dns-packet";
import { endpointSlices, namespaces, services } from "../../src/api/resources.ts";
import type {
  DnsConfiguration,
  ForwardOptions,
  KubernetesOptions,
  ServerBlock,
} from "../../src/dns/configuration/configuration.ts";
import { usualBlock, usualForward, usualKubernetes } from "../../src/dns/configuration/usual.ts";
import { startDns, type Dns, type DnsOptions, type RegistrationOf } from "../../src/dns/dns.ts";
import { parseUpstream } from "../../src/dns/forward/upstream.ts";
import { systemClock, type Clock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { createObjects, type Objects } from "./objects.ts";
import { SERVICES, SLICES } from "./testns.ts";

const run = promisify(execFile);

export interface Running {
  readonly dns: Dns;
  readonly objects: Objects;
  readonly port: number;
  /** `dig`'s output for these arguments; `+short` and the like are up to the caller. */
  readonly dig: (...args: string[]) => Promise<string>;
}

/** What a test may set of the one block that it asks. */
export interface Settings {
  readonly zone?: string;
  readonly kubernetes?: Partial<KubernetesOptions>;
  /** `IP`, `IPv4:PORT` or `[IPv6]:PORT`. */
  readonly upstreams?: readonly string[];
  readonly forward?: Partial<ForwardOptions>;
  readonly block?: Partial<ServerBlock>;
  readonly listen?: { readonly address: string; readonly port: number };
  readonly clusterIPs?: readonly string[];
  readonly random?: () => number;
  readonly clock?: Clock;
  readonly endpoints?: RegistrationOf["endpoints"];
  readonly nodeName?: string;
  readonly search?: DnsOptions["search"];
  /** Further blocks. */
  readonly more?: readonly ServerBlock[];
}

export function configurationOf(settings: Settings): DnsConfiguration {
  const { zone = "cluster.local", upstreams = [], listen = { address: "127.0.0.1", port: 0 } } = settings;
  const to = upstreams.map(parseUpstream);
  return {
    servers: [
      {
        ...usualBlock,
        bind: [listen.address],
        port: listen.port,
        kubernetes: { ...usualKubernetes(zone), ...settings.kubernetes },
        forward: to.length === 0 ? [] : [{ ...usualForward(to), policy: "sequential", ...settings.forward }],
        loadbalance: true,
        ...settings.block,
      },
      ...(settings.more ?? []),
    ],
  };
}

/** Cluster DNS on a port of 127.0.0.1 with the ledger's objects; ends with the test. */
export async function running(
  t: TestContext,
  settings: Settings = {},
  objects: Objects = createObjects(),
): Promise<Running> {
  for (const name of ["default", "testns"]) {
    objects.put(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const each of SERVICES) objects.put(services, each);
  for (const each of SLICES) objects.put(endpointSlices, each);
  const dns = await startDns({
    client: objects,
    clock: settings.clock ?? systemClock,
    random: settings.random ?? Math.random,
    log: silentLog,
    configuration: configurationOf(settings),
    ...(settings.search === undefined ? {} : { search: settings.search }),
    ...(settings.clusterIPs === undefined
      ? {}
      : {
          registration: { clusterIPs: settings.clusterIPs, endpoints: settings.endpoints, nodeName: settings.nodeName },
        }),
  });
  t.after(() => dns.stop());
  const port = dns.listening[0]!.port;
  return {
    dns,
    objects,
    port,
    async dig(...args) {
      const { stdout } = await run("dig", ["@127.0.0.1", "-p", `${port}`, "+tries=1", "+time=3", "+nocookie", ...args]);
      return stdout.trim();
    },
  };
}

export const ask = (name: string, type: packets.RecordType = "A", id = 1): Buffer =>
  packets.encode({ type: "query", id, flags: packets.RECURSION_DESIRED, questions: [{ name, type }] });

/** Sends one packet over UDP; the response, or undefined when none came in time. */
export function overUdp(port: number, packet: Uint8Array, milliseconds = 2000): Promise<Buffer | undefined> {
  const socket = createSocket("udp4");
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  socket.on("message", (response) => resolve(response));
  socket.send(packet, port, "127.0.0.1");
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

export const framed = (packet: Uint8Array): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
};

/** Writes these chunks to one connection and reads responses until there are `count` or the server closes. */
export function overTcp(port: number, chunks: readonly Uint8Array[], count: number): Promise<Buffer[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer[]>();
  const socket = connect(port, "127.0.0.1", () => chunks.forEach((chunk) => socket.write(chunk)));
  const responses: Buffer[] = [];
  let pending = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      responses.push(pending.subarray(2, 2 + pending.readUInt16BE(0)));
      pending = pending.subarray(2 + pending.readUInt16BE(0));
    }
    if (responses.length >= count) resolve(responses);
  });
  socket.on("close", () => resolve(responses));
  socket.on("error", reject);
  return promise.finally(() => socket.destroy());
}

/** Waits for something to become true; the deadline is generous. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(5);
  }
  throw new Error(`waited 10 seconds for ${what}`);
}
