import type { IPFamily } from "../../../net/ip.ts";
import type { Log } from "../../../observe/log.ts";
import type { NodePlan, ServicePlan } from "../../plan/plan.ts";
import type { AppliedRound } from "../../loop.ts";
import type { Aftermath } from "../../proxy.ts";
import type { CarriedPort, Refused } from "./carrier/carried.ts";
import type { CarrierLink } from "./carrier-process.ts";
import { compile } from "./compile.ts";
import { sentenceOf } from "./complaints.ts";

export interface LoopbackOptions {
  /** Families whose loopback is carried. */
  readonly families: readonly IPFamily[];
  readonly log: Log;
  /** Starts the carrier: only called when there is a node port to carry. */
  readonly open: (onRefused: (refused: readonly Refused[]) => void) => Promise<CarrierLink>;
}

/** The node as far as loopback goes: nothing but 127.0.0.1 and ::1. Nobody there is an outsider. */
const onLoopback = (node: NodePlan, families: readonly IPFamily[]): NodePlan => ({
  ...node,
  nodePortAddresses: {
    IPv4: families.includes("IPv4") ? ["127.0.0.1"] : [],
    IPv6: families.includes("IPv6") ? ["::1"] : [],
  },
});

/** The node ports of a Service on loopback, and nothing else of it. */
const portsOf = (service: ServicePlan, node: NodePlan): readonly CarriedPort[] =>
  compile({ ...service, clusterIPs: [], ports: service.ports.map((port) => ({ ...port, frontends: [] })) }, node).ports;

/**
 * Node ports on 127.0.0.1 and ::1 beside an engine that has none there: packets of loopback do not leave it, so what the kernel
 * translates never comes back (PRX-080 … PRX-083). The same plans, carried by sockets. Both families, which no mode of kube-proxy does.
 */
export function loopbackNodePorts({ families, log, open }: LoopbackOptions): Aftermath {
  const pending = new Map<string, ServicePlan | undefined>();
  const carried = new Map<string, readonly CarriedPort[]>();
  let node: NodePlan | undefined;
  let latest: AppliedRound | undefined;
  let carrier: CarrierLink | undefined;
  let working: Promise<void> | undefined;
  let isStopped = false;
  let told = new Set<string>();

  const tell = (refused: readonly Refused[]): void => {
    const sentences = new Set(refused.map(sentenceOf));
    for (const sentence of sentences) if (!told.has(sentence)) log.warn({}, sentence);
    told = sentences;
  };

  /** Ports by id as they are to be now; null for those that are gone. */
  const take = (round: AppliedRound): Map<string, CarriedPort | null> => {
    if (round.node !== node) {
      node = round.node;
      for (const key of carried.keys()) if (!round.plans.has(key)) pending.set(key, undefined);
      for (const [key, plan] of round.plans) pending.set(key, plan);
    }
    const loopback = onLoopback(round.node, families);
    const ports = new Map<string, CarriedPort | null>();
    for (const [key, plan] of pending) {
      const next = plan === undefined || !round.node.localhostNodePorts ? [] : portsOf(plan, loopback);
      const used = next.filter(({ entrances }) => entrances.length > 0);
      for (const { id } of carried.get(key) ?? []) ports.set(id, null);
      for (const port of used) ports.set(port.id, port);
      if (used.length === 0) carried.delete(key);
      else carried.set(key, used);
    }
    pending.clear();
    return ports;
  };

  const work = async (): Promise<void> => {
    while (latest !== undefined) {
      const round = latest;
      latest = undefined;
      const ports = take(round);
      if (ports.size === 0 || isStopped) continue;
      const isNew = carrier?.isAlive !== true;
      if (isNew) carrier = await open(tell);
      const all = isNew
        ? [...carried.values()].flatMap((of) => of.map((port) => [port.id, port] as const))
        : [...ports];
      tell(await carrier!.set({ full: isNew, anyAddress: false, ports: all }));
    }
  };

  return {
    applied(round) {
      for (const [key, plan] of round.changes) pending.set(key, plan);
      latest = round;
      working ??= work()
        .catch((error: unknown) => {
          // All is said again with the next round.
          node = undefined;
          log.warn({ error: (error as Error).message }, "node ports cannot be carried on 127.0.0.1");
        })
        .finally(() => {
          working = undefined;
        });
    },
    async stop() {
      isStopped = true;
      await working;
      await carrier?.close();
    },
  };
}
