import type { Client } from "../../client/client.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { Part } from "../../observe/part.ts";
import { startCarrying } from "../../proxy/carrying.ts";
import { openConnections } from "../../proxy/conntrack/connections.ts";
import { encode } from "../../proxy/configuration/encode.ts";
import {
  localDetectorOf,
  masqueradingOf,
  nodePortAddressesOf,
  nodePortAdvice,
  periodsOf,
} from "../../proxy/configuration/meaning.ts";
import type { KubeProxyConfiguration } from "../../proxy/configuration/schema.ts";
import type { ProxyMode } from "../../proxy/engine.ts";
import { primaryFamily, type NodeFacts } from "../../proxy/node/facts.ts";
import { familyFaults } from "../../proxy/node/family-faults.ts";
import { watchInterfaces } from "../../proxy/node/interfaces.ts";
import type { NodeSettings } from "../../proxy/node/node-plan.ts";
import { watchOwnNode, type OwnNode } from "../../proxy/node/own-node.ts";
import { openSurroundings } from "../../proxy/surroundings.ts";
import { Failure } from "../failure.ts";
import { chooseEngine, type Chosen, type EngineGround } from "../proxy-engines.ts";
import { setConntrack } from "./conntrack-settings.ts";
import { besideOnLoopback } from "./loopback.ts";
import { startModeSwitch } from "./mode-switch.ts";
import { startEvents } from "./start-events.ts";

export interface NodeProxyOptions {
  readonly client: Client;
  readonly ground: EngineGround;
  readonly configuration: KubeProxyConfiguration;
  readonly nodeName: string;
  readonly wish: "auto" | ProxyMode;
  /** Ends the wait for the Node. */
  readonly signal: AbortSignal;
}

export interface NodeProxy extends Part {
  readonly ready: Promise<void>;
  /** Rejects when it cannot go on. */
  readonly over: Promise<never>;
}

/** Milliseconds that the Node has to get addresses, and ranges of pods where those are needed (PRX-260, PRX-068). */
const ADDRESSES_WITHIN = 30_000;
const RANGES_WITHIN = 300_000;

async function awaitNode(ownNode: OwnNode, options: NodeProxyOptions): Promise<void> {
  const { ground, configuration, nodeName, signal } = options;
  const aborted = new Promise<boolean>((resolve) => signal.addEventListener("abort", () => resolve(false)));
  const until = (wanted: (facts: NodeFacts) => boolean, within: number): Promise<boolean> =>
    Promise.race([ownNode.until(wanted, within), aborted]);
  if (!(await until(({ addresses }) => addresses.length > 0, ADDRESSES_WITHIN))) {
    ground.log.error(
      { node: nodeName },
      `the Node ${nodeName} ${ownNode.node === undefined ? "is not there" : "has no address"} yet; the proxy goes on without (see --hostname-override, --bind-address)`,
    );
  }
  if (configuration.detectLocalMode !== "NodeCIDR") return;
  if (!(await until(({ podCIDRs }) => podCIDRs.length > 0, RANGES_WITHIN))) {
    throw new Failure(
      `waiting for the Node ${nodeName} to have podCIDRs, which --detect-local-mode NodeCIDR needs: there are none after 5 minutes`,
    );
  }
}

/** An engine for both families of the kernel, else for the primary one alone (PRX-262). */
async function engineFor(
  primary: IPFamily,
  options: NodeProxyOptions,
): Promise<Chosen & { readonly ground: EngineGround }> {
  const { ground, wish } = options;
  try {
    return { ...(await chooseEngine(wish, ground)), ground };
  } catch (error) {
    if (ground.families.length < 2) throw error;
    const alone: EngineGround = { ...ground, families: [primary] };
    const chosen = await chooseEngine(wish, alone).catch(() => {
      throw error;
    });
    ground.log.warn({ error: (error as Error).message }, `only ${primary} is carried`);
    return { ...chosen, ground: alone };
  }
}

function settingsOf(
  configuration: KubeProxyConfiguration,
  mode: ProxyMode,
  nodeName: string,
  families: readonly IPFamily[],
): NodeSettings {
  return {
    nodeName,
    families,
    bindAddress: configuration.bindAddress,
    nodePortAddresses: nodePortAddressesOf(configuration, mode),
    localhostNodePorts: configuration.iptables.localhostNodePorts,
    serviceRanges: [],
    localDetector: configuration.detectLocalMode === "NodeCIDR" ? "podCIDRs" : localDetectorOf(configuration, []),
    ...masqueradingOf(configuration, mode),
    forwardOnly: undefined,
  };
}

/** Starts `fairlead proxy`'s one proxy. Throws Failure with what is missing. */
export async function startNodeProxy(options: NodeProxyOptions): Promise<NodeProxy> {
  const { client, configuration, nodeName } = options;
  const { host, clock, random, log } = options.ground;
  const ownNode = watchOwnNode({ client, clock, random, log, nodeName });
  await awaitNode(ownNode, options);
  const { podCIDRs, addresses } = ownNode.facts;
  const primary = primaryFamily(configuration.bindAddress, addresses);
  const first = await engineFor(primary, options);
  const mode = first.engine.name;
  const { families } = first.ground;
  const clusterCIDRs = configuration.clusterCIDR === "" ? [] : configuration.clusterCIDR.split(",");
  const faults = familyFaults({
    primary,
    families,
    detectLocalMode: configuration.detectLocalMode,
    clusterCIDRs,
    podCIDRs,
  });
  for (const { sentence } of faults) log.error({}, sentence);
  const fatal = faults.find((fault) => fault.fatal);
  if (fatal !== undefined) throw new Failure(`starting the proxy: ${fatal.sentence}`);
  const settings = settingsOf(
    configuration,
    mode,
    nodeName,
    [...families].sort((one) => (one === primary ? -1 : 1)),
  );
  const advice = nodePortAdvice(settings.nodePortAddresses);
  if (advice !== undefined) log.info({}, advice);
  const timing = periodsOf(configuration, mode);
  const around = openSurroundings({
    client,
    clock,
    log,
    settings,
    ownNode,
    timing,
    healthzBindAddress: configuration.healthzBindAddress,
    metricsBindAddress: configuration.metricsBindAddress,
    bindAddressHardFail: configuration.bindAddressHardFail,
    configz: encode({ ...configuration, mode, nodePortAddresses: settings.nodePortAddresses }),
  });
  await setConntrack(configuration.conntrack, (type, reason, message) => around.tell(type, reason, message));
  const connections = await openConnections({ ...first.ground, around });
  let refresh = (): void => {};
  const interfaces = await watchInterfaces({ host, clock, log, onChange: () => refresh() });
  const modes = await startModeSwitch({
    ground: first.ground,
    around,
    clock,
    log,
    first,
    leftovers: true,
    wish: options.wish,
    carry: async (engine) =>
      startCarrying({
        aftermaths: await besideOnLoopback(engine, first.ground),
        client,
        engine,
        clock,
        random,
        log,
        timing,
        around,
        connections,
        settings,
        ownNode,
        interfaces,
      }),
    onMode: () => {},
  });
  refresh = () => modes.refresh();
  for (const told of startEvents(mode)) around.tell(...told);

  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  around.failed.catch((error: Error) => over.reject(new Failure(error.message, { cause: error })));
  const watchNode = (): void => {
    const now = ownNode.facts;
    if (now.addresses.join() !== addresses.join())
      log.info({ was: addresses, addresses: now.addresses }, "the Node has other addresses");
    // PRX-263: who carries by ranges that are others now begins again.
    if (
      configuration.detectLocalMode === "NodeCIDR" &&
      ownNode.node !== undefined &&
      now.podCIDRs.join() !== podCIDRs.join()
    ) {
      over.reject(
        new Failure(
          `the podCIDRs of the Node ${nodeName} were ${podCIDRs.join(",")} and are ${now.podCIDRs.join(",")}; started again, the proxy takes those`,
        ),
      );
    }
  };
  ownNode.onChange(watchNode);

  return {
    ready: modes.ready,
    over: over.promise,
    async stop() {
      ownNode.stop();
      await interfaces.stop();
      await modes.stop();
      await connections.stop();
      await around.recorder.flush();
      await around.stop();
    },
  };
}
