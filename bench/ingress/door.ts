/** `door.ts ENGINE PORT TLS-PORT ROUTES FOLDER`: an engine that carries a plan of so many hosts, made as the controller makes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EndpointSlice, Ingress, IngressClass, Secret, Service } from "../../src/api/generated/types.ts";
import { chooseIngressEngine } from "../../src/cli/ingress/engines.ts";
import { systemHost } from "../../src/host/processes.ts";
import { tokensOf } from "../../src/ingress/affinity/token.ts";
import { annotationsOf } from "../../src/ingress/annotations/read.ts";
import type { IngressEngineName } from "../../src/ingress/engine.ts";
import { planOf } from "../../src/ingress/plan/planner.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { createLog, toDescriptor } from "../../src/observe/log.ts";
import { ENDPOINTS, hosts } from "./site.ts";

const [engineName = "builtin", port, tlsPort, routes, folder = ""] = process.argv.slice(2);
const base64 = (file: string): string => readFileSync(join(folder, file)).toString("base64");
const metadata = (name: string, uid: string) => ({
  name,
  namespace: "shop",
  uid,
  creationTimestamp: "2026-01-01T00:00:00Z",
});

const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata("web", "service"),
  spec: { clusterIP: "10.96.0.1", ipFamilies: ["IPv4"], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
};
const slice = (at: number): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { ...metadata(`web-${at}`, `slice-${at}`), labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  endpoints: [
    {
      addresses: ["127.0.0.1"],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: "Pod", namespace: "shop", name: `web-${at}`, uid: `pod-${at}` },
    },
  ],
  ports: [{ name: "http", protocol: "TCP", port: ENDPOINTS[at]! }],
});
const secret: Secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: metadata("tls", "secret"),
  type: "kubernetes.io/tls",
  data: { "tls.crt": base64("tls.crt"), "tls.key": base64("tls.key") },
};
const ingressClass: IngressClass = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name: "fairlead" },
  spec: { controller: "fairlead.dev/ingress" },
};
const ingressOf = (host: string): Ingress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    ...metadata(host, host),
    annotations: {
      "nginx.ingress.kubernetes.io/affinity": "cookie",
      "nginx.ingress.kubernetes.io/ssl-redirect": "false",
    },
  },
  spec: {
    ingressClassName: "fairlead",
    tls: [{ hosts: [host], secretName: "tls" }],
    rules: [
      {
        host,
        http: {
          paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
        },
      },
    ],
  },
});

const all = hosts(Number(routes)).map(ingressOf);
const { plan } = planOf(
  {
    ingresses: () => all,
    classes: () => [ingressClass],
    service: (key) => (key === "shop/web" ? service : undefined),
    slices: (key) => (key === "shop/web" ? [slice(0), slice(1)] : []),
    secret: (key) => (key === "shop/tls" ? secret : undefined),
    configMap: () => undefined,
  },
  {
    controller: "fairlead.dev/ingress",
    withoutClass: false,
    annotations: annotationsOf,
    tokensOf: tokensOf([Buffer.alloc(32, 7)]),
    defaultBackend: undefined,
    defaultCertificate: undefined,
    spareCertificate: undefined,
  },
);
const engine = await chooseIngressEngine(engineName as IngressEngineName, {
  listeners: [
    { address: "127.0.0.1", port: Number(port), tls: false, proxyProtocol: false },
    { address: "127.0.0.1", port: Number(tlsPort), tls: true, proxyProtocol: false },
  ],
  trust: { from: [] },
  accessLog: () => {},
  writesRequests: false,
  host: systemHost(),
  clock: systemClock,
  random: Math.random,
  log: createLog("bench", "warn", toDescriptor(2)),
  directory: join(folder, `engine-${engineName}-${routes}`),
  httpsPort: Number(tlsPort),
  // As the rival, and as many as it has processors.
  threads: 1,
});
await engine.apply(plan);
process.on("SIGTERM", () => void engine.stop(100).then(() => process.exit(0)));
await engine.failed;
