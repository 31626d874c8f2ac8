import type { PathMatch, RoutePlan } from "../../src/ingress/plan/plan.ts";
import type { RequestHead } from "../../src/ingress/request.ts";
import { usualSettings } from "../../src/ingress/settings/defaults.ts";
import type { RouteSettings } from "../../src/ingress/settings/settings.ts";

/** Settings of a route whose annotations say nothing, and whose host has no TLS. */
export const plainSettings: RouteSettings = { ...usualSettings, httpsRedirect: undefined };

/** A route of Ingress `default/web` with these settings. */
export const routeWith = (
  settings: Partial<RouteSettings> = {},
  match: PathMatch = { type: "prefix", path: "" },
  host = "a.example",
): RoutePlan => ({
  id: `default/web ${host} ${match.type}:${match.type === "regex" ? match.source : match.path}`,
  ingress: { namespace: "default", name: "web" },
  host,
  match,
  path: "/",
  settings: { ...plainSettings, ...settings },
  backend: "default/web:80",
  affinity: undefined,
  canaries: [],
});

/** `GET http://a.example/` from 192.0.2.1, and what is different. */
export function requestHead(target = "/", more: Partial<RequestHead> = {}): RequestHead {
  const question = target.indexOf("?");
  const authority = more.authority ?? "a.example";
  return {
    method: "GET",
    target,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? "" : target.slice(question),
    host: authority.replace(/:\d+$/, ""),
    authority,
    scheme: "http",
    protocol: "HTTP/1.1",
    headers: {},
    client: "192.0.2.1",
    port: 80,
    requestId: "1",
    ...more,
  };
}
