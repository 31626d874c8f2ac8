import type { RoutePlan } from "../plan/plan.ts";
import type { Forward } from "./step.ts";
import { template } from "./variables.ts";

/** `settings.upstreamHost`: what the backend hears as Host. */
export function upstreamHost(host: string, route: RoutePlan): Forward {
  const made = template(host, route);
  return (outgoing, request) => {
    outgoing.headers["host"] = made(request);
  };
}
