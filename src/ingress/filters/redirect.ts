import type { RoutePlan } from "../plan/plan.ts";
import type { Redirect } from "../settings/settings.ts";
import { encodedText } from "./encoded.ts";
import { requestedTarget } from "./requested.ts";
import type { Admit } from "./step.ts";
import { template } from "./variables.ts";

/** `settings.redirect`: all requests are sent elsewhere, to a URL, or to another host with the same scheme, path and query. */
export function redirect({ to, status }: Redirect, route: RoutePlan): Admit {
  if ("url" in to) {
    const url = template(encodedText(to.url), route);
    return (request) => ({ status, headers: { location: url(request) } });
  }
  const host = encodedText(to.host);
  return (request) => ({ status, headers: { location: `${request.scheme}://${host}${requestedTarget(request)}` } });
}
