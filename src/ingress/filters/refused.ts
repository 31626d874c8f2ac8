import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { RoutePlan } from "../plan/plan.ts";
import type { Admit } from "./step.ts";

/** Milliseconds between two lines about the same route. */
const QUIET = 60_000;

/** `settings.refused`: nobody is let in; why is said in the log alone. */
export function refused(reason: string, route: RoutePlan, log: Log, clock: Clock): Admit {
  let told = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    if (now - told >= QUIET) {
      told = now;
      log.warn(
        { ingress: route.ingress, route: route.id, reason },
        "requests are answered 503: what protects this route cannot be done",
      );
    }
    return { status: 503 };
  };
}
