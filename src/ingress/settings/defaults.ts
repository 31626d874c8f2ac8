import type { BackendSettings } from "../plan/plan.ts";
import type { RouteSettings } from "./settings.ts";

/**
 * What a route does whose Ingress has no annotations: as ingress-nginx does with a ConfigMap that says nothing, but that bodies may have
 * any length, and upgraded connections may be silent for an hour.
 */
export const usualSettings: RouteSettings = {
  refused: undefined,
  redirect: undefined,
  httpsRedirect: 308,
  appRoot: undefined,
  sources: undefined,
  basicAuth: undefined,
  externalAuth: undefined,
  satisfy: "all",
  rateLimit: undefined,
  cors: undefined,
  rewrite: undefined,
  upstreamHost: undefined,
  forwardedPrefix: undefined,
  requestHeaders: [],
  responseHeaders: [],
  cookies: undefined,
  locations: undefined,
  errorPages: undefined,
  mirror: undefined,
  maximumBody: undefined,
  timeouts: { connect: 5_000, send: 60_000, read: 60_000, tunnel: 3_600_000 },
  retry: { on: new Set(["error", "timeout"]), nonIdempotent: false, tries: 3, timeout: 0 },
  accessLog: true,
};

export const usualBackend: BackendSettings = {
  protocol: "HTTP",
  tls: undefined,
  balance: { algorithm: "round-robin" },
};
