import { systemClock } from "../../../observe/clock.ts";
import { nftablesEngine } from "../../../proxy/engines/nftables/engine.ts";
import type { NodePlan } from "../../../proxy/plan/plan.ts";
import { startProxy } from "../../../proxy/proxy.ts";
import { wellKnownAddresses } from "../../config.ts";
import type { WorkerConfig } from "../protocol.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

const BIT_OF_MASQUERADE = 14;

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

/** Service traffic of this node, by nftables. */
export async function startProxyPart({ host, client, log, given }: Ground): Promise<RunningPart> {
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
