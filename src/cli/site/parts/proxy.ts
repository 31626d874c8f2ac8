import { systemClock } from "../../../observe/clock.ts";
import type { NodePlan } from "../../../proxy/plan/plan.ts";
import { startProxy } from "../../../proxy/proxy.ts";
import { wellKnownAddresses } from "../../config.ts";
import type { WorkerConfig } from "../protocol.ts";
import { cleanOtherEngines, openEngine, type EngineGround } from "../../proxy-engines.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

const BIT_OF_MASQUERADE = 14;

/** What belongs to no single Service, for the proxy of this node. */
const nodePlan = ({ config, nodeAddresses, forwardOnlyOurs }: WorkerConfig): NodePlan => ({
  nodeName: config.nodeName,
  families: config.serviceRanges.map((range) => (range.includes(":") ? "IPv6" : "IPv4")),
  nodePortAddresses: {
    IPv4: nodeAddresses.filter((ip) => !ip.includes(":")),
    IPv6: nodeAddresses.filter((ip) => ip.includes(":")),
  },
  localhostNodePorts: true,
  serviceRanges: config.serviceRanges,
  localDetector: { by: "ranges", ranges: config.podRanges },
  nodeAddresses: [...new Set([...nodeAddresses, ...wellKnownAddresses(config).gateways])],
  masqueradeAll: false,
  masqueradeBit: BIT_OF_MASQUERADE,
  forwardOnly: forwardOnlyOurs ? { interfacePrefix: "fl" } : undefined,
});

/** Service traffic of this node. */
export async function startProxyPart({ host, client, log, given }: Ground): Promise<RunningPart> {
  const plan = nodePlan(given);
  const { proxyMode } = given.config;
  const mode = proxyMode === "auto" ? "nftables" : proxyMode;
  const ground: EngineGround = { host, families: plan.families, clock: systemClock, random, log };
  const engine = await openEngine(mode, ground);
  const part = await startProxy({
    client,
    engine,
    clock: systemClock,
    random,
    log,
    node: plan,
    onApplied: (programmed) => log.debug(programmed, "programmed"),
  });
  // What an earlier run of another mode left goes only when ours carries.
  const clean = async (): Promise<void> => {
    await part.ready;
    await cleanOtherEngines(mode, ground, AbortSignal.timeout(30_000)).catch((error: unknown) =>
      log.warn({ error: (error as Error).message }, "what another proxy mode left could not be taken away"),
    );
  };
  void clean();
  return {
    ready: part.ready,
    async stop() {
      await part.stop();
      await engine.close();
    },
    async remove() {
      await part.stop();
      await engine.cleanup(AbortSignal.timeout(30_000));
      await engine.close();
    },
  };
}
