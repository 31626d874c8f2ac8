import { isDeepStrictEqual } from "node:util";
import type { Conntrack } from "../../host/conntrack/conntrack.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { AppliedRound } from "../loop.ts";
import type { NodePlan } from "../plan/plan.ts";
import type { Aftermath } from "../proxy.ts";
import { staleFlows } from "./decide.ts";
import type { ConntrackMetrics } from "./metrics.ts";
import { questions, portsOf, type FlowPort } from "./flow-ports.ts";

/** Milliseconds between two looks at least: each walks through the kernel's whole table (10 ms for 262,144 buckets). */
const APART = 200;
/**
 * Milliseconds until the second look after a change. A packet that met the old rules may still be on its way when the first look is
 * taken; its flow is in the table only once it has left the machine or reached a socket.
 */
const SECOND = 1_000;
/** Milliseconds until a look that failed is taken again. */
const AGAIN = 2_000;

interface Due {
  /** What the Service's ports were at any time since the last clean look. */
  was: FlowPort[];
  looks: number;
}

export interface UdpFlowsOptions {
  readonly conntrack: Pick<Conntrack, "list" | "remove">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ConntrackMetrics;
  /** The engine takes datagrams itself, at the address that the client calls: a flow to there is as it should be. */
  readonly answersItself: boolean;
}

/**
 * Takes away UDP flows that the rules lead nobody to any more: the kernel asks the rules only for the first packet of a flow, and a
 * client that goes on sending would be sent to an endpoint that is gone for ever. Looks twice after each change of a Service that has or
 * had a UDP port (PRX-202); only UDP is ever touched (PRX-201).
 */
export function udpFlows({ conntrack, clock, log, metrics, answersItself }: UdpFlowsOptions): Aftermath {
  const current = new Map<string, FlowPort[]>();
  const due = new Map<string, Due>();
  let node: NodePlan | undefined;
  /** Looks left in which the flows of Services that went while nobody looked are looked for too. */
  let sweeps = 2;
  let last = -Infinity;
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;
  let stopped = false;

  const schedule = (wait: number): void => {
    const at = Math.max(clock.now() + wait, last + APART);
    if (stopped || (timer !== undefined && timer.at <= at)) return;
    timer?.cancel();
    timer = { at, cancel: clock.after(Math.max(0, at - clock.now()), look) };
  };

  const look = (): void => {
    timer = undefined;
    const began = (last = clock.now());
    try {
      clean(began);
    } catch (error) {
      log.warn({ complaint: (error as Error).message }, "stale UDP flows were not looked for; it is tried again");
      schedule(AGAIN);
      return;
    }
    if (sweeps > 0) sweeps--;
    for (const [key, one] of due) if (--one.looks === 0) due.delete(key);
    if (sweeps > 0 || due.size > 0) schedule(SECOND);
  };

  const clean = (began: number): void => {
    const all = sweeps > 0;
    const was = [...due.values()].flatMap((one) => one.was);
    const now = (all ? [...current.values()] : [...due.keys()].map((key) => current.get(key) ?? [])).flat();
    const asked = all ? [{ protocol: "UDP" } as const] : questions([...was, ...now], "UDP");
    const flows = asked.flatMap((query) => conntrack.list(query));
    const stale = staleFlows(flows, { was, now, node: node!, all, answersItself });
    const deleted = new Map<IPFamily, number>();
    for (const family of ["IPv4", "IPv6"] as const) {
      const gone = conntrack.remove(stale.filter((flow) => flow.family === family));
      deleted.set(family, gone);
      if (gone > 0) log.debug({ family, gone }, "UDP flows to endpoints that are no more were taken away");
    }
    metrics.cleaned((clock.now() - began) / 1000, deleted);
  };

  return {
    applied(round: AppliedRound) {
      const first = node === undefined;
      node = round.node;
      for (const [key, plan] of round.changes) {
        const before = current.get(key) ?? [];
        const after = portsOf(plan, "UDP");
        if (after.length === 0) current.delete(key);
        else current.set(key, after);
        if (isDeepStrictEqual(before, after)) continue;
        const one = due.get(key) ?? { was: [], looks: 2 };
        one.was.push(...before);
        one.looks = 2;
        due.set(key, one);
      }
      if (first || due.size > 0) schedule(0);
    },
    async stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
