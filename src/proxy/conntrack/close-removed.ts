import type { Conntrack } from "../../host/conntrack/conntrack.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { NodePlan, ServicePlan } from "../plan/plan.ts";
import type { Aftermath } from "../proxy.ts";
import type { Closer } from "./closer.ts";
import { questions } from "./flow-ports.ts";
import { flowsToClose, removalsOf, type Removal } from "./removals.ts";

/**
 * Milliseconds until the second look: a connection whose handshake was under way when the rules changed is in the table only a moment
 * later.
 */
const SECOND = 1_000;

/** Closes connections to endpoints that a Service has no more, where its plan says so; all others are left alone (PRX-026, PRX-201). */
export function closeRemoved(options: {
  readonly conntrack: Pick<Conntrack, "list">;
  readonly closer: Pick<Closer, "close">;
  readonly clock: Clock;
  readonly log: Log;
  /** For an event on a Service (`namespace/name`). */
  readonly tell: (services: readonly string[], type: "Normal" | "Warning", reason: string, message: string) => void;
}): Aftermath {
  const { conntrack, closer, clock, log, tell } = options;
  const plans = new Map<string, ServicePlan>();
  const cancels = new Set<() => void>();
  let node: NodePlan | undefined;

  const after = (milliseconds: number, act: () => void): void => {
    const cancel = clock.after(milliseconds, () => (cancels.delete(cancel), act()));
    cancels.add(cancel);
  };
  const close = async (removal: Removal): Promise<void> => {
    const { service, port } = removal;
    try {
      const flows = questions([port], "TCP").flatMap((query) => conntrack.list(query));
      const closing = flowsToClose(flows, removal, plans.get(service), node!);
      if (closing.length === 0) return;
      await closer.close(closing);
      log.info({ service, closed: closing.length }, "connections to endpoints that a Service has no more were closed");
    } catch (error) {
      const complaint = `connections to endpoints that ${service} has no more could not be closed: ${(error as Error).message}`;
      log.warn({ service }, complaint);
      tell([service], "Warning", "ConnectionsNotClosed", complaint);
    }
  };

  return {
    applied(round) {
      node = round.node;
      for (const [key, plan] of round.changes) {
        for (const removal of removalsOf(plans.get(key), plan)) {
          for (const wait of [removal.after, removal.after + SECOND]) after(wait, () => void close(removal));
        }
        if (plan === undefined) plans.delete(key);
        else plans.set(key, plan);
      }
    },
    async stop() {
      for (const cancel of cancels) cancel();
    },
  };
}
