import { readFile, writeFile } from "node:fs/promises";
import { systemClock } from "../../../observe/clock.ts";
import { startCarrying } from "../../../proxy/carrying.ts";
import { openConnections } from "../../../proxy/conntrack/connections.ts";
import { watchInterfaces } from "../../../proxy/node/interfaces.ts";
import type { NodeSettings } from "../../../proxy/node/node-plan.ts";
import { watchOwnNode, type OwnNode } from "../../../proxy/node/own-node.ts";
import { openSurroundings } from "../../../proxy/surroundings.ts";
import { layoutOf } from "../../data/layout.ts";
import { besideOnLoopback } from "../../proxy/loopback.ts";
import { startModeSwitch } from "../../proxy/mode-switch.ts";
import { chooseEngine, PROXY_ENGINES, type EngineGround } from "../../proxy-engines.ts";
import type { ProxyMode } from "../../../proxy/engine.ts";
import type { WorkerConfig } from "../protocol.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

const BIT_OF_MASQUERADE = 14;
const TIMING = { syncPeriod: 30_000, minSyncPeriod: 0 };
const HEALTHZ = "0.0.0.0:10256";
const METRICS = "127.0.0.1:10249";

/** Says on the Node which mode is to carry, whatever `up` was told: a mode is switched while everything runs. */
const MODE_ANNOTATION = "fairlead.dev/proxy-mode";

/** What belongs to no single Service, for the proxy of this node. */
const nodeSettings = ({ config, nodeAddresses, forwardOnlyOurs }: WorkerConfig): NodeSettings => ({
  nodeName: config.nodeName,
  families: config.serviceRanges.map((range) => (range.includes(":") ? "IPv6" : "IPv4")),
  bindAddress: "0.0.0.0",
  nodePortAddresses: nodeAddresses.map((ip) => `${ip}/${ip.includes(":") ? 128 : 32}`),
  localhostNodePorts: true,
  serviceRanges: config.serviceRanges,
  localDetector: { by: "ranges", ranges: config.podRanges },
  masqueradeAll: false,
  masqueradeBit: BIT_OF_MASQUERADE,
  forwardOnly: forwardOnlyOurs ? { interfacePrefix: "fl" } : undefined,
});

/** What the Node wishes; undefined where it says nothing, and what it says where that is no mode. */
function wishOf(ownNode: OwnNode): { readonly mode?: "auto" | ProxyMode; readonly unknown?: string } {
  const said = ownNode.node?.metadata.annotations?.[MODE_ANNOTATION];
  if (said === undefined) return {};
  const mode = ["auto" as const, ...(Object.keys(PROXY_ENGINES) as ProxyMode[])].find((one) => one === said);
  return mode === undefined ? { unknown: said } : { mode };
}

/** Service traffic of this node. */
export async function startProxyPart({ host, client, log, given }: Ground): Promise<RunningPart> {
  const settings = nodeSettings(given);
  const { config } = given;
  const ground: EngineGround = { host, families: settings.families, clock: systemClock, random, log };
  const ownNode = watchOwnNode({ client, clock: systemClock, random, log, nodeName: config.nodeName });
  const ready = Promise.withResolvers<void>();
  const around = openSurroundings({
    serveAfter: ready.promise,
    client,
    clock: systemClock,
    log,
    settings,
    ownNode,
    timing: TIMING,
    healthzBindAddress: HEALTHZ,
    metricsBindAddress: METRICS,
    bindAddressHardFail: false,
    configz: { mode: config.proxyMode, clusterCIDR: config.podRanges.join(",") },
  });
  // Each waits for a program: side by side they are a start that is a good deal shorter.
  const [before, interfaces, first, connections] = await Promise.all([
    readFile(layoutOf(config.directory).proxyMode, "utf8").catch(() => undefined),
    watchInterfaces({ host, clock: systemClock, log, onChange: () => modes?.refresh() }),
    chooseEngine(config.proxyMode, ground),
    openConnections({ ...ground, around }),
  ]);
  let modes: Awaited<ReturnType<typeof startModeSwitch>> | undefined;
  modes = await startModeSwitch({
    ground,
    around,
    clock: systemClock,
    log,
    first,
    wish: config.proxyMode,
    // A private site is new, or it is one that we wrote the mode of down.
    leftovers: before === undefined ? !config.private : before !== first.engine.name,
    carry: async (engine) =>
      startCarrying({
        aftermaths: await besideOnLoopback(engine, ground),
        client,
        engine,
        clock: systemClock,
        random,
        log,
        timing: TIMING,
        around,
        connections,
        settings,
        ownNode,
        interfaces,
      }),
    onMode: (mode) => {
      writeFile(layoutOf(config.directory).proxyMode, mode).catch((error: Error) =>
        log.warn({ error: error.message }, "the proxy mode could not be written down for 'fairlead status'"),
      );
    },
  });
  void modes.ready.then(ready.resolve);
  around.tell("Normal", "Starting", "");
  let complained: string | undefined;
  const follow = (): void => {
    const { mode, unknown } = wishOf(ownNode);
    if (unknown !== undefined && unknown !== complained) {
      around.tell(
        "Warning",
        "ProxyModeNotSwitched",
        `${MODE_ANNOTATION}: ${JSON.stringify(unknown)} is not auto, ${Object.keys(PROXY_ENGINES).join(", ")}; the proxy mode stays as it is`,
      );
    }
    complained = unknown;
    if (unknown === undefined && ownNode.node !== undefined) void modes.to(mode ?? config.proxyMode);
  };
  ownNode.onChange(follow);
  follow();
  // Rules of a private site go with its network.
  const removal = config.private ? "stop" : "remove";
  const end = (how: "stop" | "remove") => async (): Promise<void> => {
    ownNode.stop();
    await interfaces.stop();
    await modes[how]();
    await connections.stop();
    await around.stop();
  };
  return { ready: modes.ready, stop: end("stop"), remove: end(removal) };
}
