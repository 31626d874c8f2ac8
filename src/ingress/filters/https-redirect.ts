import type { RoutePlan } from "../plan/plan.ts";
import { requestedHost, requestedTarget } from "./requested.ts";
import type { Admit } from "./step.ts";

const HTTPS = 443;

/** `settings.httpsRedirect`: plain requests are sent to the same host, path and query over https (CTL-141). */
export function httpsRedirect(status: number, route: RoutePlan, httpsPort: number): Admit {
  const port = httpsPort === HTTPS ? "" : `:${httpsPort}`;
  const own = route.host === "" || route.host.startsWith("*") ? undefined : route.host;
  return (request) => {
    if (request.scheme === "https") return undefined;
    const host = requestedHost(request) ?? own;
    // Where to is not known, and in the clear it must not be served.
    if (host === undefined) return { status: 400 };
    return { status, headers: { location: `https://${host}${port}${requestedTarget(request)}` } };
  };
}
