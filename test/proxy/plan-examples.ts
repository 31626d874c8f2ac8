import type { Endpoint, EndpointSlice, Service, ServiceSpec } from "../../src/api/generated/types.ts";
import { keyOf } from "../../src/api/object.ts";
import type { Destination, ServicePlan } from "../../src/proxy/plan/plan.ts";
import { Tracker, type TrackerContext } from "../../src/proxy/plan/tracker.ts";

// Objects for the tests of the plan: a Service `default/web` with one port, and slices of it. The proxy stands on node `n1`.

export const tracker = (context: Partial<TrackerContext> = {}): Tracker =>
  new Tracker({ nodeName: "n1", zone: undefined, families: ["IPv4"], ...context });

export interface Named {
  readonly name?: string;
  readonly created?: string;
  readonly annotations?: Record<string, string>;
}

export const web = (spec: Partial<ServiceSpec> = {}, named: Named = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: named.name ?? "web",
    namespace: "default",
    creationTimestamp: named.created ?? "2026-01-01T00:00:00Z",
    ...(named.annotations === undefined ? {} : { annotations: named.annotations }),
  },
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.1",
    clusterIPs: ["10.96.0.1"],
    ports: [{ name: "http", port: 80, protocol: "TCP" }],
    ...spec,
  },
});

/** A LoadBalancer Service with this for its status. */
export const balanced = (ingress: readonly object[], spec: Partial<ServiceSpec> = {}, named?: Named): Service => ({
  ...web({ type: "LoadBalancer", ...spec }, named),
  status: { loadBalancer: { ingress: [...ingress] } },
});

export const slice = (
  endpoints: readonly Endpoint[],
  name = "web-1",
  more: Partial<EndpointSlice> = {},
): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: [...endpoints],
  ...more,
});

/** The endpoint 10.244.0.`number`. */
export const at = (number: number, more: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [`10.244.0.${number}`],
  ...more,
});

export const conditions = {
  ready: { ready: true, serving: true, terminating: false },
  unready: { ready: false, serving: false, terminating: false },
  /** On its way out, and still answering. */
  leaving: { ready: false, serving: true, terminating: true },
  gone: { ready: false, serving: false, terminating: true },
} as const;
type Condition = keyof typeof conditions;

/** The endpoint 10.244.0.`number`, on this node. */
export const here = (number: number, condition: Condition = "ready"): Endpoint =>
  at(number, { nodeName: "n1", conditions: conditions[condition] });
/** The same, on another. */
export const there = (number: number, condition: Condition = "ready"): Endpoint =>
  at(number, { nodeName: "n2", conditions: conditions[condition] });

/** The plan of the Service with these slices, planned afresh. */
export function planOf(
  service: Service,
  slices: readonly EndpointSlice[] = [],
  context?: Partial<TrackerContext>,
): ServicePlan | undefined {
  const one = tracker(context);
  one.setService(keyOf(service), service);
  for (const part of slices) one.setSlice(keyOf(part), part);
  return one.replan().get(keyOf(service));
}

/** A destination in short: what becomes of a connection, or the last numbers of the endpoints' addresses. */
export const ends = (destination: Destination | undefined): string =>
  destination === undefined
    ? "nothing"
    : destination.to === "targets"
      ? destination.targets.map(({ ip }) => ip.slice(Math.max(ip.lastIndexOf("."), ip.lastIndexOf(":")) + 1)).join(" ")
      : destination.to;

/** The same with weights: `1×3 2×10`. */
export const shares = (destination: Destination | undefined): string =>
  destination?.to === "targets"
    ? destination.targets.map(({ ip, weight }) => `${ip.slice(ip.lastIndexOf(".") + 1)}×${weight}`).join(" ")
    : ends(destination);

/** `KIND IP:PORT` of the addresses at which the first port is called; `PORT-LAST` of ranges. */
export const waysIn = (plan: ServicePlan | undefined, index = 0): string[] =>
  (plan?.ports[index]?.frontends ?? []).map(
    ({ kind, ip, port, lastPort }) => `${kind} ${ip} ${port}${lastPort === undefined ? "" : `-${lastPort}`}`,
  );
