import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { startDns } from "../../dns/dns.ts";
import type { Host } from "../../host/host.ts";
import { familyOf } from "../../net/ip.ts";
import { startNode, type NodePart } from "../../node/node.ts";
import { systemClock } from "../../observe/clock.ts";
import { createLog, type Log } from "../../observe/log.ts";
import { nftablesEngine } from "../../proxy/engines/nftables/engine.ts";
import type { NodePlan } from "../../proxy/plan/plan.ts";
import { startProxy } from "../../proxy/proxy.ts";
import { clientOfDirectory, clientWhenReady } from "../connection.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openAppend } from "../data/logFile.ts";
import { VERSION } from "../version.ts";
import type { PartName, WorkerConfig } from "./protocol.ts";

/** A part of the site that runs. */
export interface RunningPart {
  readonly ready: Promise<void>;
  /** Ends it; what it made stays. */
  stop(): Promise<void>;
  /** Ends it and takes away what it made. */
  remove(): Promise<void>;
}

interface Ground {
  readonly host: Host;
  readonly client: Client;
  readonly log: Log;
  readonly given: WorkerConfig;
}

/** From 0 up to, but not including, 1, and hard to guess: query ids are made of it. */
const random = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;

const BIT_OF_MASQUERADE = 14;

/** The nameservers of the host, for names outside the cluster; a private site has no way to any. */
async function upstreams(config: SystemConfig, own: readonly string[]): Promise<string[]> {
  if (config.private) return [];
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server));
}

/** A node part for this configuration, also for one that only removes. */
function nodePart(
  ground: Omit<Ground, "given">,
  config: SystemConfig,
  nodeAddresses: readonly string[],
): Promise<NodePart> {
  const { gateways, dns } = wellKnownAddresses(config);
  const layout = layoutOf(config.directory);
  return startNode({
    ...ground,
    clock: systemClock,
    random,
    nodeName: config.nodeName,
    nodeAddresses,
    podRanges: config.podRanges,
    gateways,
    directory: layout.node,
    hidden: [config.directory],
    clusterDNS: dns,
    clusterDomain: config.clusterDomain,
    rootless: config.rootless,
    nodeBinary: process.execPath,
    capacity: { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: "1000" },
    version: `v1.36.2+fairlead.${VERSION}`,
  });
}

async function node({ host, client, log, given }: Ground): Promise<RunningPart> {
  const { config, nodeAddresses } = given;
  const part = await nodePart({ host, client, log }, config, nodeAddresses);
  const { startNodeEndpoint } = await import("../../node/endpoint/endpoint.ts");
  const layout = layoutOf(config.directory);
  const [ca, cert, key] = await Promise.all(
    ["ca.crt", "node.crt", "node.key"].map((name) => readFile(join(layout.pki, name), "utf8")),
  );
  const endpoint = await startNodeEndpoint({
    listen: { path: layout.nodeSocket },
    tls: { ca: ca!, cert: cert!, key: key! },
    log,
    source: part.source,
  });
  return {
    ready: Promise.resolve(),
    stop: async () => {
      await endpoint.stop();
      await part.stop();
    },
    remove: async () => {
      await endpoint.stop();
      await part.removeAll();
    },
  };
}

/** What belongs to no single Service, for the proxy of this node. */
const nodePlan = ({ config, nodeAddresses, forwardOnlyOurs }: WorkerConfig): NodePlan => ({
  nodeName: config.nodeName,
  families: config.serviceRanges.map((range) => (range.includes(":") ? "IPv6" : "IPv4")),
  nodePortAddresses: nodeAddresses,
  serviceRanges: config.serviceRanges,
  podRanges: config.podRanges,
  nodeAddresses: [...new Set([...nodeAddresses, ...wellKnownAddresses(config).gateways])],
  masqueradeAll: false,
  masqueradeBit: BIT_OF_MASQUERADE,
  forwardOnly: forwardOnlyOurs ? { interfacePrefix: "fl" } : undefined,
});

async function proxy({ host, client, log, given }: Ground): Promise<RunningPart> {
  const plan = nodePlan(given);
  const engine = nftablesEngine(host, plan.families);
  const part = await startProxy({
    client,
    engine,
    clock: systemClock,
    random,
    log,
    node: plan,
    onApplied: (programmed) => log.debug(programmed, "programmed"),
  });
  return {
    ready: part.ready,
    stop: () => part.stop(),
    remove: async () => {
      await part.stop();
      await engine.cleanup(AbortSignal.timeout(30_000));
    },
  };
}

async function dns({ client, log, given: { config } }: Ground): Promise<RunningPart> {
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const part = await startDns({
    client,
    clock: systemClock,
    random,
    log,
    zone: config.clusterDomain,
    listen: gateways.map((address) => ({ address, port: 53 })),
    clusterIPs,
    upstreams: await upstreams(config, [...gateways, ...clusterIPs]),
    nodeName: config.nodeName,
  });
  return { ready: part.synced(), stop: () => part.stop(), remove: () => part.stop() };
}

const PARTS: Record<PartName, (ground: Ground) => Promise<RunningPart>> = { node, proxy, dns };

/** Starts one part of a site, as soon as there are credentials for it. */
export async function startPart(host: Host, given: WorkerConfig): Promise<RunningPart> {
  const layout = layoutOf(given.config.directory);
  const log = createLog(given.part, given.config.logLevel, openAppend(join(layout.logs, `${given.part}.log`)));
  const client = await clientWhenReady(layout, `fairlead-${given.part}`);
  const part = await PARTS[given.part]({ host, client, log, given });
  const close = (end: () => Promise<void>) => async (): Promise<void> => {
    await end();
    client.close();
  };
  return { ready: part.ready, stop: close(() => part.stop()), remove: close(() => part.remove()) };
}

/** Takes away what the parts of a dead site left behind; nobody answers at its API any more. */
export async function removeParts(host: Host, config: SystemConfig): Promise<void> {
  const layout = layoutOf(config.directory);
  const log = createLog("removal", config.logLevel, openAppend(join(layout.logs, "site.log")));
  const client = await clientOfDirectory(layout);
  const part = await nodePart({ host, client, log }, config, wellKnownAddresses(config).gateways);
  await part.removeAll();
  client.close();
  await nftablesEngine(host, ["IPv4", "IPv6"]).cleanup(AbortSignal.timeout(30_000));
}
