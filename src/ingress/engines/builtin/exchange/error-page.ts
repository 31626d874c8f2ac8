import type { IngressPlan, RoutePlan } from "../../../plan/plan.ts";
import type { OutgoingHead, RequestHead } from "../../../request.ts";

const routes = new WeakMap<RoutePlan, RoutePlan>();

/** The way to the backend that has a route's error pages: without sessions and canaries. */
export function pageRoute(route: RoutePlan): RoutePlan {
  let instead = routes.get(route);
  if (instead === undefined) {
    const backend = route.settings.errorPages?.backend;
    instead = { ...route, backend, affinity: undefined, canaries: [] };
    routes.set(route, instead);
  }
  return instead;
}

/** Makes a request the question for the page of a status, in the headers that default backends of ingress-nginx know. */
export function asksForPage(
  outgoing: OutgoingHead,
  status: number,
  request: RequestHead,
  route: RoutePlan,
  plan: IngressPlan,
): void {
  const { headers } = outgoing;
  const backend = route.backend === undefined ? undefined : plan.backends.get(route.backend);
  delete headers["content-length"];
  headers["x-code"] = String(status);
  headers["x-format"] = request.headers.accept ?? "";
  headers["x-original-uri"] = request.target;
  headers["x-namespace"] = route.ingress.namespace;
  headers["x-ingress-name"] = route.ingress.name;
  if (backend === undefined) return;
  headers["x-service-name"] = backend.service;
  headers["x-service-port"] = backend.port;
}
