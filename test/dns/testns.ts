import type { Endpoint, EndpointPort, EndpointSlice, Service, ServiceSpec } from "../../src/api/generated/types.ts";
import { keyOf } from "../../src/api/object.ts";
import { createContents, type Contents, type ContentsOptions } from "../../src/dns/names/contents.ts";
import { createZones, type ZoneOptions, type Zones } from "../../src/dns/names/zone.ts";

/** The namespace `testns` of the ledger: Services and slices that the tests of every layer ask for. */

export const service = (name: string, spec: ServiceSpec, namespace = "testns"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, uid: `uid-${name}` },
  spec,
});

export const HTTP: EndpointPort[] = [{ name: "http", protocol: "TCP", port: 80 }];

export function slice(
  of: string,
  endpoints: readonly (string | (Partial<Endpoint> & { address: string }))[],
  ports: EndpointPort[] = HTTP,
  addressType = "IPv4",
  namespace = "testns",
): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${of}-${addressType.toLowerCase()}-${endpoints.length}-${ports.length}`,
      namespace,
      labels: { "kubernetes.io/service-name": of },
    },
    addressType,
    ports,
    endpoints: endpoints.map((each) => {
      if (typeof each === "string") return { addresses: [each] };
      const { address, ...rest } = each;
      return { addresses: [address], ...rest };
    }),
  };
}

const http = (extra: ServiceSpec): ServiceSpec => ({ ports: [{ name: "http", protocol: "TCP", port: 80 }], ...extra });
const external = (name: string, externalName: string): Service => service(name, { type: "ExternalName", externalName });

export const SERVICES: Service[] = [
  service("svc1", http({ clusterIP: "10.0.0.1" })),
  service("svc6", http({ clusterIP: "1234:ABCD::1" })),
  service("dual", http({ clusterIP: "10.0.0.3", clusterIPs: ["10.0.0.3", "10::3"] })),
  service("svcempty", http({ clusterIP: "10.0.0.9" })),
  service("hdls1", http({ clusterIP: "None" })),
  service("hdlsprtls", { clusterIP: "None" }),
  service("hdls4", http({ clusterIP: "None" })),
  service("hdlsunready", http({ clusterIP: "None" })),
  service("noselector", { clusterIP: "None", ipFamilies: ["IPv4"] }),
  service("multi", {
    type: "LoadBalancer",
    clusterIP: "10.0.0.7",
    externalIPs: ["192.0.2.7"],
    ports: [
      { name: "http", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 30080 },
      { name: "dns", protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 9000 },
    ],
  }),
  service("twoports", { clusterIP: "None" }),
  service("nginx", http({ clusterIP: "None" })),
  service("pending", http({ clusterIP: "" })),
  external("external", "ext.interwebs.test"),
  external("external-to-service", "svc1.testns.svc.cluster.local."),
  external("external-to-nothing", "nothing.testns.svc.cluster.local"),
  external("external-to-external", "external-to-service.testns.svc.cluster.local"),
  external("external-loop", "external-loop.testns.svc.cluster.local"),
  external("external-ping", "external-pong.testns.svc.cluster.local"),
  external("external-pong", "external-ping.testns.svc.cluster.local"),
  external("external-ip", "192.0.2.1"),
  service("kubernetes", { clusterIP: "10.0.0.10", ports: [{ name: "https", protocol: "TCP", port: 443 }] }, "default"),
];

export const SLICES: EndpointSlice[] = [
  slice("svc1", ["172.0.0.2"], [{ name: "http", protocol: "TCP", port: 8080 }]),
  slice("hdls1", [
    "172.0.0.2",
    "172.0.0.3",
    { address: "172.0.0.4", hostname: "dup-name" },
    { address: "172.0.0.5", hostname: "dup-name" },
  ]),
  slice("hdls1", ["5678:abcd::1", "5678:ABCD:0::2"], HTTP, "IPv6"),
  // A second slice that repeats an address, for another port (DNS-025), and one of names (DNS-024).
  slice("twoports", ["172.0.0.30", "172.0.0.31"], [...HTTP, { name: "metrics", protocol: "TCP", port: 9100 }]),
  slice("twoports", ["172.0.0.30"], [{ name: "extra", protocol: "TCP", port: 9200 }]),
  slice("twoports", ["pod.example.com"], HTTP, "FQDN"),
  slice("hdlsprtls", ["172.0.0.20"], []),
  slice("hdls4", [
    "172.0.0.40",
    { address: "172.0.0.41", conditions: { ready: true, serving: false, terminating: true } },
    { address: "172.0.0.42", conditions: { ready: false, serving: true, terminating: true } },
  ]),
  slice("hdlsunready", [{ address: "172.0.0.50", conditions: { ready: false } }]),
  slice("noselector", ["2001:db8::"], HTTP, "IPv6"),
  slice("nginx", [
    { address: "172.0.0.60", hostname: "web-0" },
    { address: "172.0.0.61", hostname: "web-1" },
  ]),
  // Left behind by a Service that is gone.
  slice("ghost", ["172.0.0.99"]),
];

export const zonesOf = (options: Partial<ZoneOptions> = {}): Zones =>
  createZones({
    zones: ["cluster.local", "in-addr.arpa", "ip6.arpa"],
    ttl: 5,
    pods: "insecure",
    zonal: false,
    fallthrough: [],
    searches: false,
    nameServers: () => ({ addresses: ["10.0.0.10"], depends: [] }),
    ...options,
  });

/** The slices of a Service by the label, as the cache's index gives them. */
export const slicesOf = (key: string, slices: readonly EndpointSlice[] = SLICES): EndpointSlice[] =>
  slices.filter(
    ({ metadata }) => `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"] ?? ""}` === key,
  );

export function testContents(
  now: () => number = () => 1_700_000_000_000,
  options: Partial<ContentsOptions> = {},
): Contents {
  const contents = createContents(now, {
    endpointPodNames: false,
    ignoreEmptyServices: false,
    hidesUnknownNamespaces: false,
    ...options,
  });
  contents.setNamespace("testns", true);
  contents.setNamespace("default", true);
  for (const each of SERVICES) contents.setService(keyOf(each), each, slicesOf(keyOf(each)));
  return contents;
}
