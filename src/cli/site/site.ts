import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { systemHost } from "../../host/processes.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openLog } from "../data/log-file.ts";
import { startHostDns } from "../host-dns/host-dns.ts";
import { startDialer } from "../publish/dialer.ts";
import { tell } from "../supervisor/protocol.ts";
import { dnsSockets } from "./dns-sockets.ts";
import type { SiteDoor } from "./door.ts";
import { forwardTo } from "./forward.ts";
import { isSiteLink, makeSiteNetwork, SITE_LINK } from "./network.ts";
import { superviseWorker } from "./workers.ts";

export interface Site {
  /** All parts carry: pods are started, rules are in, names are answered. */
  readonly ready: Promise<void>;
  /** To be called once it is ready and that was said: what may come after, comes now. */
  afterReady(): void;
  /** What the host's own resolver was told, for the user. */
  readonly hostDns: string | undefined;
  /** Ends the parts; pods, rules and addresses stay. */
  stop(): Promise<void>;
  /** Ends the parts and takes away all that the site made. */
  remove(): Promise<void>;
}

/** Starts the site in the namespaces this process is in. */
export async function startSite(config: SystemConfig, nodeAddresses: readonly string[]): Promise<Site> {
  const layout = layoutOf(config.directory);
  const log = openLog(layout, "site", config.logLevel);
  const host = systemHost();
  const interfaces = Object.keys(networkInterfaces()).filter((name) => name !== "lo" && !isSiteLink(name));
  const { forwardingWasOff } = await makeSiteNetwork(host, config, wellKnownAddresses(config), layout.made, interfaces);
  const sockets = await dnsSockets(host, wellKnownAddresses(config).gateways, layout.made, log);
  const given = { config, nodeAddresses, forwardOnlyOurs: forwardingWasOff };
  const workers = (["node", "proxy", "dns"] as const).map((part) => superviseWorker({ ...given, part, sockets }, log));
  const forwarders = await Promise.all(
    nodeAddresses.slice(0, 1).map((host) => forwardTo({ host, port: config.listen.port }, layout.serverSocket)),
  );
  const dialer = config.publish ? await startDialer(layout.dialerSocket, nodeAddresses[0]!) : undefined;
  const { gateways } = wellKnownAddresses(config);
  const hostDns = config.hostDns
    ? await startHostDns({
        host,
        link: SITE_LINK,
        servers: gateways,
        clusterDomain: config.clusterDomain,
        ranges: [...config.serviceRanges, ...config.podRanges],
      })
    : undefined;
  let door: SiteDoor | undefined;
  const openDoor = async (): Promise<void> => {
    if (config.ingress === "off") return;
    const [{ openDoorWhenWanted }, { superviseProcess }] = await Promise.all([
      import("./door.ts"),
      import("./supervised-process.ts"),
    ]);
    if (isEnding) return;
    door = openDoorWhenWanted({
      host,
      layout,
      log,
      start: ({ sockets: held, http, https }) =>
        superviseProcess(
          { ...given, part: "ingress", sockets: held, door: { http, https } },
          host,
          log,
          join(import.meta.dirname, "part.process.ts"),
        ),
      opened: ({ http, https, remarks }) => tell({ report: "ingress", http, https, remarks }),
    });
  };
  let isEnding = false;
  let opening = Promise.resolve();
  const end = async (order: "stop" | "remove"): Promise<void> => {
    isEnding = true;
    await hostDns?.revert();
    for (const forwarder of forwarders) forwarder.close();
    dialer?.close();
    await opening;
    await Promise.all([...workers.map((worker) => worker.end(order)), door?.end(order)]);
  };
  return {
    ready: Promise.all(workers.map((worker) => worker.ready)).then(() => {}),
    afterReady() {
      for (const worker of workers) worker.siteReady();
      opening = openDoor();
    },
    hostDns: hostDns?.says,
    stop: () => end("stop"),
    async remove() {
      await end("remove");
      const { removeSiteNetwork } = await import("./network.ts");
      await removeSiteNetwork(host, layout.made);
    },
  };
}
