import { isDeepStrictEqual } from "node:util";
import type { Connections } from "./conntrack/connections.ts";
import type { NodePlan } from "./plan/plan.ts";
import { nodePlan, type NodeSettings } from "./node/node-plan.ts";
import type { Interfaces } from "./node/interfaces.ts";
import type { OwnNode } from "./node/own-node.ts";
import { startProxy, type Aftermath, type Proxy, type ProxyOptions } from "./proxy.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellComplaints } from "./telling.ts";

export interface CarryingOptions<P, F, A> extends Pick<
  ProxyOptions<P, F, A>,
  "client" | "clock" | "random" | "log" | "engine" | "timing" | "aftermaths"
> {
  readonly around: Surroundings;
  readonly connections: Connections;
  readonly settings: NodeSettings;
  readonly ownNode: OwnNode;
  readonly interfaces: Interfaces;
}

export interface Carrying extends Proxy {
  /** The addresses of this machine are others now. */
  refresh(): void;
}

/** An aftermath that outlives the proxy. */
const lent = (one: Aftermath): Aftermath => ({ applied: (round) => one.applied(round), stop: async () => {} });

/** Carries Service traffic with one engine within its surroundings: follows the Node and the machine's addresses, counts, and tells. */
export async function startCarrying<P, F, A>(options: CarryingOptions<P, F, A>): Promise<Carrying> {
  const { around, engine, settings, ownNode, interfaces, connections, aftermaths = [] } = options;
  const { figures, keeper, recorder } = around;
  const planNow = (): NodePlan => nodePlan(settings, ownNode.facts, interfaces.addresses);
  let plan = planNow();
  let { zone } = ownNode.facts;
  const proxy: Proxy = await startProxy({
    ...options,
    // Whoever chose the engine has asked it.
    isSupported: true,
    node: plan,
    zone,
    lease: around.lease,
    isPenalized: (target, protocol) => connections.isPenalized(target, protocol),
    onApplied(programmed) {
      figures.programmed(programmed);
      options.log.debug(programmed, "programmed");
    },
    onDisturbed() {
      figures.disturbed();
      around.tell(
        "Warning",
        "ProxyRulesDisturbed",
        `somebody else changed the rules of ${engine.name}; they were written again`,
      );
    },
    onQueued(what) {
      figures.queued(what);
      keeper.queued();
    },
    onRound: (round) => figures.round(round),
    onFailed: (round) => figures.failed(engine.name, round),
    aftermaths: [
      {
        applied(round) {
          keeper.updated();
          figures.applied(round);
        },
        stop: async () => {},
      },
      lent(around.checkPorts),
      tellComplaints({ engine, recorder, service: (key) => proxy.service(key) }),
      ...connections.aftermaths(engine.name),
      ...aftermaths,
    ],
  });
  const leave = connections.join(proxy);
  const refresh = (): void => {
    const next = planNow();
    if (isDeepStrictEqual(next, plan) && ownNode.facts.zone === zone) return;
    plan = next;
    zone = ownNode.facts.zone;
    keeper.queued();
    proxy.setNode(plan, zone);
  };
  const forget = ownNode.onChange(refresh);
  return {
    ...proxy,
    refresh,
    async stop() {
      forget();
      leave();
      await proxy.stop();
    },
  };
}
