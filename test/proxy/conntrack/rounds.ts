import type { AppliedRound } from "../../../src/proxy/loop.ts";
import type { ServicePlan } from "../../../src/proxy/plan/plan.ts";
import type { Aftermath } from "../../../src/proxy/proxy.ts";
import type { Carried } from "../lab/carried.ts";

/** Applies what is due and tells those who come after it, as the proxy's loop does. */
export function rounds<P, F, A>(carried: Carried<P, F, A>, aftermaths: readonly Aftermath[]): () => Promise<void> {
  let told = new Map<string, ServicePlan>();
  let full = true;
  return async () => {
    await carried.apply();
    const plans = new Map(carried.tracker.plans);
    const changed = [...plans].filter(([key, plan]) => told.get(key) !== plan);
    const gone = [...told.keys()].filter((key) => !plans.has(key)).map((key) => [key, undefined] as const);
    const round: AppliedRound = { changes: new Map([...changed, ...gone]), plans, node: carried.node, full };
    told = plans;
    full = false;
    for (const one of aftermaths) one.applied(round);
  };
}
