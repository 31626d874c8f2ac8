import { differently, ignored, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";
import { REQUEST_VARIABLES, unknownVariables } from "../variables.ts";

/** A host with or without a port, in which variables may stand, as in `$service_name.$namespace.svc`. */
const HOST = /^(?:[\w.:[\]-]|\$\w+|\$\{\w+\})+$/;

function hostOf(said: Said): string | undefined {
  const host = said.text("upstream-vhost");
  if (host === undefined) return undefined;
  const [unknown] = unknownVariables(host, REQUEST_VARIABLES);
  if (HOST.test(host) && unknown === undefined) return host;
  const why = unknown === undefined ? "" : ` without the variable $${unknown}`;
  said.wrong("upstream-vhost", `the name of a host${why}`, "what the client sent is sent on");
  return undefined;
}

function prefixOf(said: Said): string | undefined {
  const prefix = said.text("x-forwarded-prefix");
  if (prefix === undefined || /^[!-~]+$/.test(prefix)) return prefix;
  said.wrong("x-forwarded-prefix", "a path", "no X-Forwarded-Prefix is sent");
  return undefined;
}

/** What a backend is told. */
export const upstream: AnnotationGroup = {
  title: "What the backend is told",
  annotations: [
    { name: "upstream-vhost", value: "text", verdict: same },
    { name: "x-forwarded-prefix", value: "path", verdict: same },
    { name: "service-upstream", value: "true or false", verdict: same },
    {
      name: "connection-proxy-header",
      value: "text",
      verdict: ignored("connections to endpoints are kept open, and upgraded where the client asks for it"),
    },
    {
      name: "enable-opentelemetry",
      value: "true or false",
      verdict: differently("traceparent and tracestate are passed on, and no span is added"),
      exceptions: { false: same },
    },
    {
      name: "opentelemetry-trust-incoming-span",
      value: "true or false",
      verdict: differently("traceparent and tracestate are passed on as they came"),
      exceptions: { true: same },
    },
    { name: "opentelemetry-operation-name", value: "text", verdict: ignored("no span is added") },
  ],
  read: (said) => ({
    serviceUpstream: said.truth("service-upstream", false),
    settings: { upstreamHost: hostOf(said), forwardedPrefix: prefixOf(said) },
  }),
};
