import type { HTTPGetAction, LifecycleHandler, Probe } from "../../generated/types.ts";

const withHttpDefaults = (httpGet: HTTPGetAction): HTTPGetAction => ({
  ...httpGet,
  path: httpGet.path || "/",
  scheme: httpGet.scheme || "HTTP",
});

/** CTL-103; zero means left out, as in Go. */
export const withProbeDefaults = (probe: Probe): Probe => ({
  ...probe,
  ...(probe.httpGet === undefined ? {} : { httpGet: withHttpDefaults(probe.httpGet) }),
  timeoutSeconds: probe.timeoutSeconds || 1,
  periodSeconds: probe.periodSeconds || 10,
  successThreshold: probe.successThreshold || 1,
  failureThreshold: probe.failureThreshold || 3,
});

export const withHandlerDefaults = (handler: LifecycleHandler): LifecycleHandler =>
  handler.httpGet === undefined ? handler : { ...handler, httpGet: withHttpDefaults(handler.httpGet) };
