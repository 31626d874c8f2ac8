import { ignored, type AnnotationGroup, type KnownAnnotation } from "../group.ts";

const former = (name: string, instead: string): KnownAnnotation => ({
  name,
  value: "text",
  verdict: ignored(`ingress-nginx itself no longer knows it${instead === "" ? "" : `; ${instead}`}`),
});

/** Names that ingress-nginx had once, and manifests still have. */
export const formerNames: AnnotationGroup = {
  title: "Names of earlier times",
  annotations: [
    former("session-cookie-hash", ""),
    former("secure-backends", "backend-protocol: HTTPS says it"),
    former("grpc-backend", "backend-protocol: GRPC says it"),
    former("secure-verify-ca-secret", "proxy-ssl-secret says it"),
    former("add-base-url", ""),
    former("base-url-scheme", ""),
    former("upstream-max-fails", ""),
    former("upstream-fail-timeout", ""),
    former("global-rate-limit", "limit-rps is for each replica"),
    former("global-rate-limit-window", ""),
    former("global-rate-limit-key", ""),
    former("global-rate-limit-ignored-cidrs", ""),
    former("enable-opentracing", ""),
    former("opentracing-operation-name", ""),
    former("opentracing-trust-incoming-span", ""),
    former("enable-influxdb", ""),
    former("influxdb-measurement", ""),
    former("influxdb-port", ""),
    former("influxdb-host", ""),
    former("influxdb-server-name", ""),
    former("enable-dynamic-tls-records", ""),
  ],
};
