import type { RequestListener } from "node:http";
import type { Figures } from "../figures.ts";
import type { HealthKeeper } from "./health.ts";
import { pathOf, send } from "../../observe/http.ts";
import { page } from "./pages.ts";

/** `/healthz` and `/livez` (PRX-114). */
export function healthAnswers(options: {
  readonly keeper: HealthKeeper;
  readonly figures: Pick<Figures, "asked">;
  isEligible(): boolean;
}): RequestListener {
  return (request, response) => {
    const path = pathOf(request);
    if (path !== "/healthz" && path !== "/livez")
      return send(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
    const { code, health } = options.keeper.health(path === "/healthz" ? options.isEligible() : undefined);
    options.figures.asked(path === "/healthz" ? "healthz" : "livez", code);
    send(response, code, "application/json", JSON.stringify(health));
  };
}

/** What is asked of the metrics' server (PRX-120). */
export interface Shown {
  readonly mode: string;
  readonly configz: unknown;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  now(): number;
  metrics(): Promise<string>;
}

const TEXT = "text/plain; charset=utf-8";

/** The one check there is, as `/metrics/slis` tells it. */
const SLIS = `# HELP kubernetes_healthcheck Result of a health check
# TYPE kubernetes_healthcheck gauge
kubernetes_healthcheck{name="ping",type="healthz"} 1
`;

const PATHS = ["/configz", "/flagz", "/healthz", "/metrics", "/proxyMode", "/statusz"];

/** `/metrics`, `/metrics/slis`, `/healthz`, `/proxyMode`, `/configz`, `/flagz` and `/statusz`. */
export const metricsAnswers =
  (shown: Shown): RequestListener =>
  (request, response) => {
    switch (pathOf(request)) {
      case "/metrics":
        void shown.metrics().then((text) => send(response, 200, "text/plain; version=0.0.4; charset=utf-8", text));
        return;
      case "/metrics/slis":
        return send(response, 200, TEXT, SLIS);
      case "/healthz":
        return send(response, 200, TEXT, "ok");
      case "/proxyMode":
        return send(response, 200, TEXT, shown.mode);
      case "/configz":
        return send(response, 200, "application/json", JSON.stringify({ "kubeproxy.config.k8s.io": shown.configz }));
      case "/flagz":
      case "/statusz": {
        const { startedAt, configz } = shown;
        const which = pathOf(request) === "/flagz" ? "flagz" : "statusz";
        const told = { startedAt, now: shown.now(), configz, paths: PATHS };
        const { code, type, body } = page(which, request.headers.accept, told);
        return send(response, code, type, body);
      }
      default:
        return send(response, 404, TEXT, "404 page not found\n");
    }
  };
