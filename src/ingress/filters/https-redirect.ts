import type { RoutePlan } from "../plan/plan.ts";
import { requestedHost, requestedTarget } from "./requested.ts";
import type { Admit } from "./step.ts";

const HTTPS = 443;
/** Where authorities of certificates ask whether a host is ours (RFC 8555 §8.3): before it has a certificate there is nothing else to come by. */
export const IN_THE_CLEAR = "/.well-known/acme-challenge/";

/** `settings.httpsRedirect`: plain requests are sent to the same host, path and query over https (CTL-141). */
export function httpsRedirect(status: number, route: RoutePlan, httpsPort: number): Admit {
  const port = httpsPort === HTTPS ? "" : `:${httpsPort}`;
  const own = route.host === "" || route.host.startsWith("*") ? undefined : route.host;
  return (request) => {
    if (request.scheme === "https" || request.path.startsWith(IN_THE_CLEAR)) return undefined;
    const host = requestedHost(request) ?? own;
    // Where to is not known, and in the clear it must not be served.
    if (host === undefined) return { status: 400 };
    return { status, headers: { location: `https://${host}${port}${requestedTarget(request)}` } };
  };
}
