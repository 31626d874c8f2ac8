import { readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { mapsUser } from "../../../host/user-map.ts";
import { startNodeEndpoint } from "../../../node/endpoint/endpoint.ts";
import { startNode, type NodePart } from "../../../node/node.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { layoutOf } from "../../data/layout.ts";
import { VERSION } from "../../version.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** Who pods are unless they say otherwise. */
const NOBODY = 65534;

/** How many pods a node takes: a program needs memory and a namespace, a simulated pod two routes and some lines of a table. */
const PODS = { process: "1000", simulated: "20000" } as const;

/** A node part for this configuration, also for one that only removes. */
export async function nodePart(
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
    // Root of a namespace that has no other user cannot become one either.
    rootless: config.rootless || !(await mapsUser(NOBODY)),
    runtime: config.runtime,
    allowHostAccess: config.allowHostAccess,
    ...(config.resolvConf === undefined ? {} : { resolvConf: config.resolvConf }),
    nodeBinary: process.execPath,
    capacity: {
      cpu: String(availableParallelism()),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      pods: PODS[config.runtime],
    },
    version: `v1.36.2+fairlead.${VERSION}`,
  });
}

/** Pods, and the endpoint by which the API server reaches them. */
export async function startNodePart({ host, client, log, given }: Ground): Promise<RunningPart> {
  const { config, nodeAddresses } = given;
  const layout = layoutOf(config.directory);
  const [part, ca, cert, key] = await Promise.all([
    nodePart({ host, client, log }, config, nodeAddresses),
    ...["ca.crt", "node.crt", "node.key"].map((name) => readFile(join(layout.pki, name), "utf8")),
    // What was true before is tried anew.
    rm(layout.trafficDropped, { force: true }),
  ] as const);
  const endpoint = await startNodeEndpoint({
    listen: { path: layout.nodeSocket },
    tls: { ca: ca!, cert: cert!, key: key! },
    log,
    source: part.source,
  });
  return {
    ready: Promise.resolve(),
    siteReady() {
      // A private site's network is ours alone: nobody else has a firewall there.
      if (config.private) return;
      part.tryTraffic((sentences) => {
        const noted =
          sentences.length === 0
            ? rm(layout.trafficDropped, { force: true })
            : writeFile(layout.trafficDropped, JSON.stringify(sentences));
        noted.catch((error: Error) =>
          log.warn({ error: error.message }, "that traffic is dropped could not be written down for 'fairlead status'"),
        );
      });
    },
    async stop() {
      await endpoint.stop();
      await part.stop();
    },
    async remove() {
      await endpoint.stop();
      await part.removeAll();
    },
  };
}
