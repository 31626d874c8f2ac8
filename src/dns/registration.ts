import type { EndpointSlice, Service, ServiceSpec } from "../api/generated/types.ts";
import { apiVersionOf } from "../api/object.ts";
import { endpointSlices, services } from "../api/resources.ts";
import type { Client } from "../client/client.ts";
import { covers, ensure, held } from "../client/ensure.ts";
import { familyOf, type IPFamily } from "../net/ip.ts";
import type { SocketAddress } from "./server/address.ts";

export const DNS_NAMESPACE = "kube-system";
export const DNS_SERVICE = "kube-dns";
const MANAGED_BY = "dns.fairlead";

export interface RegistrationOptions {
  readonly client: Client;
  /** The Service's cluster addresses, the primary first. */
  readonly clusterIPs: readonly string[];
  /** Where this server answers, as seen from the pods. */
  readonly endpoints: readonly SocketAddress[];
  readonly nodeName?: string | undefined;
  /** Where every endpoint tells its metrics; undefined: nowhere that pods reach. */
  readonly metricsPort?: number | undefined;
}

/** The port of the Service by which metrics are asked for (DNS-131). */
const METRICS = { name: "metrics", protocol: "TCP", port: 9153 } as const;

/** The Service the cluster finds its DNS under (DNS-131). It has no selector: its slices are ours. */
export function dnsService(clusterIPs: readonly string[], port: number, metricsPort?: number): Service {
  const spec: ServiceSpec = {
    type: "ClusterIP",
    clusterIP: clusterIPs[0],
    clusterIPs: [...clusterIPs],
    ipFamilies: clusterIPs.map((ip) => familyOf(ip) ?? "IPv4"),
    ipFamilyPolicy: clusterIPs.length > 1 ? "RequireDualStack" : "SingleStack",
    ports: [
      { name: "dns", protocol: "UDP", port: 53, targetPort: port },
      { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: port },
      ...(metricsPort === undefined ? [] : [{ ...METRICS, targetPort: metricsPort }]),
    ],
  };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: DNS_SERVICE,
      namespace: DNS_NAMESPACE,
      labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "DNS" },
    },
    spec,
  };
}

/** Loopback and link-local addresses may not be endpoints (Kubernetes API validation). */
export const mayBeEndpoint = ({ address }: SocketAddress): boolean =>
  !/^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab])/i.test(address);

/** One slice for each family and port, named after both: `kube-dns-ipv4-53`. */
export function dnsSlices(
  endpoints: readonly SocketAddress[],
  service: Service,
  nodeName?: string,
  metricsPort?: number,
): EndpointSlice[] {
  const groups = Map.groupBy(
    endpoints.filter(mayBeEndpoint),
    ({ address, port }) => `${familyOf(address) ?? "IPv4"} ${port}`,
  );
  return [...groups].map(([group, members]) => {
    const [family, port] = group.split(" ") as [IPFamily, string];
    return {
      apiVersion: apiVersionOf(endpointSlices),
      kind: "EndpointSlice",
      metadata: {
        name: `${DNS_SERVICE}-${family.toLowerCase()}-${port}`,
        namespace: DNS_NAMESPACE,
        labels: {
          "k8s-app": "kube-dns",
          "kubernetes.io/service-name": DNS_SERVICE,
          "endpointslice.kubernetes.io/managed-by": MANAGED_BY,
        },
        ownerReferences: [
          {
            apiVersion: "v1",
            kind: "Service",
            name: DNS_SERVICE,
            uid: service.metadata.uid ?? "",
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      addressType: family,
      endpoints: members.map(({ address }) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        ...(nodeName === undefined ? {} : { nodeName }),
      })),
      ports: [
        { name: "dns", protocol: "UDP", port: Number(port) },
        { name: "dns-tcp", protocol: "TCP", port: Number(port) },
        ...(metricsPort === undefined ? [] : [{ ...METRICS, port: metricsPort }]),
      ],
    };
  });
}

async function ensureService(
  client: Client,
  wanted: Service,
  present: Service | undefined,
  signal: AbortSignal,
): Promise<Service> {
  if (present === undefined) return client.create<Service>(services, wanted, {}, signal);
  const hasSelector = Object.keys(present.spec?.selector ?? {}).length > 0;
  if (!hasSelector && covers(present, { metadata: { labels: wanted.metadata.labels }, spec: wanted.spec }))
    return present;
  const isSameAddress = present.spec?.clusterIP === wanted.spec?.clusterIP;
  if (!isSameAddress) {
    // A cluster IP cannot be changed; pods look for DNS at the address they were given, so the Service is made anew.
    const { uid } = present.metadata;
    await client.delete(
      services,
      { namespace: DNS_NAMESPACE, name: DNS_SERVICE },
      uid === undefined ? {} : { preconditions: { uid } },
      signal,
    );
    return client.create<Service>(services, wanted, {}, signal);
  }
  const { selector: _selector, ...spec } = present.spec ?? {};
  const next: Service = {
    ...present,
    metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...wanted.metadata.labels } },
    spec: { ...spec, ...wanted.spec },
  };
  return client.update<Service>(services, next, {}, signal);
}

/**
 * Makes Service `kube-system/kube-dns` and its slices what they should be, and removes slices of ours that are not
 * wanted any more. Does nothing when all is so already. Throws what the API server answers.
 */
export async function ensureRegistered(options: RegistrationOptions, signal: AbortSignal): Promise<void> {
  const { client, clusterIPs, endpoints, nodeName, metricsPort } = options;
  const at = { namespace: DNS_NAMESPACE, name: DNS_SERVICE };
  const present = await held<Service>(client, services, at, signal);
  const service = await ensureService(
    client,
    dnsService(clusterIPs, endpoints[0]?.port ?? 53, metricsPort),
    present,
    signal,
  );
  const wanted = dnsSlices(endpoints, service, nodeName, metricsPort);
  const labelSelector = `kubernetes.io/service-name=${DNS_SERVICE},endpointslice.kubernetes.io/managed-by=${MANAGED_BY}`;
  const { items } = await client.list<EndpointSlice>(
    endpointSlices,
    { namespace: DNS_NAMESPACE, labelSelector },
    signal,
  );
  const byName = new Map(items.map((slice) => [slice.metadata.name, slice]));
  for (const slice of wanted) {
    await ensure(client, endpointSlices, slice, signal);
    byName.delete(slice.metadata.name);
  }
  for (const name of byName.keys()) {
    await client.delete(endpointSlices, { namespace: DNS_NAMESPACE, name: name ?? "" }, {}, signal);
  }
}
