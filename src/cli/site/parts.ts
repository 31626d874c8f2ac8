import { join } from "node:path";
import type { Host } from "../../host/host.ts";
import { clientOfDirectory, clientWhenReady } from "../connection.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openLog } from "../data/log-file.ts";
import { systemClock } from "../../observe/clock.ts";
import { random, type Ground, type RunningPart } from "./parts/part.ts";
import type { PartName, WorkerConfig } from "./protocol.ts";

/** Loaded one by one: each thread reads the code of its own part only. */
const PARTS: Record<PartName, () => Promise<(ground: Ground) => Promise<RunningPart>>> = {
  node: async () => (await import("./parts/node.ts")).startNodePart,
  proxy: async () => (await import("./parts/proxy.ts")).startProxyPart,
  dns: async () => (await import("./parts/dns.ts")).startDnsPart,
  ingress: async () => (await import("./parts/ingress.ts")).startIngressPart,
};

/** Starts one part of a site, as soon as there are credentials for it; the signal ends the wait for them. */
export async function startPart(host: Host, given: WorkerConfig, signal: AbortSignal): Promise<RunningPart> {
  const layout = layoutOf(given.config.directory);
  const log = openLog(layout, given.part, given.config.logLevel);
  const start = await PARTS[given.part]();
  const client = await clientWhenReady(layout, `fairlead-${given.part}`, `part-${given.part}`, signal);
  const part = await start({ host, client, log, given });
  const close = (end: () => Promise<void>) => async (): Promise<void> => {
    await end();
    client.close();
  };
  return { ...part, stop: close(() => part.stop()), remove: close(() => part.remove()) };
}

/** Takes away what the parts of a dead site left behind; nobody answers at its API any more. */
export async function removeParts(host: Host, config: SystemConfig): Promise<void> {
  const layout = layoutOf(config.directory);
  const log = openLog(layout, "removal", config.logLevel);
  const [{ nodePart }, { cleanOtherEngines }] = await Promise.all([
    import("./parts/node.ts"),
    import("../proxy-engines.ts"),
  ]);
  // Without certificates there never was an API, so there are no pods either.
  const client = await clientOfDirectory(layout, "fairlead-removal", "part-node").catch(() => undefined);
  if (client !== undefined) {
    const part = await nodePart({ host, client, log }, config, wellKnownAddresses(config).gateways);
    await part.removeAll();
    client.close();
  }
  const { endLeftMaster } = await import("../../ingress/engines/haproxy/process/master.ts");
  await endLeftMaster(host, join(layout.run, "ingress"));
  // Rules of a private site go with its network.
  if (config.private) return;
  const ground = { host, families: ["IPv4", "IPv6"] as const, clock: systemClock, random, log };
  await cleanOtherEngines(undefined, ground, AbortSignal.timeout(30_000));
}
