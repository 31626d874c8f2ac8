import { isDeepStrictEqual } from "node:util";
import type { Endpoints, EndpointSlice, Namespace, Service, ServiceCIDR } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import * as resources from "../../api/resources.ts";
import { addressAt, parseCidr } from "../../net/cidr.ts";
import { familyOf } from "../../net/ip.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Context } from "../context.ts";
import { ensureOwn } from "./ensure.ts";

export interface BootstrapOptions {
  /** Ranges of Service addresses, the primary one first. */
  readonly serviceRanges: readonly string[];
  /** Where pods reach this API server: the endpoint of `default/kubernetes`. */
  readonly advertise: { readonly ip: string; readonly port: number };
}

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** The default ServiceCIDR (SVC-271, SVC-272): Ready, unless somebody said otherwise. */
async function serviceCIDR(context: Context, kind: Kind, ranges: readonly string[]): Promise<void> {
  const ready = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: timestamp(context.clock.now()),
  };
  const cidrs = [...ranges];
  await ensureOwn<ServiceCIDR>(context, kind, {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs },
  });
  await ensureOwn<ServiceCIDR>(
    context,
    kind,
    { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name: "kubernetes" }, spec: { cidrs } },
    (present) => {
      const stored = present.spec?.cidrs ?? [];
      const grows = stored.length < cidrs.length && stored.every((range, index) => range === cidrs[index]);
      if (!grows && !isDeepStrictEqual(stored, cidrs)) {
        throw new Error(
          `starting the API server: its Service ranges are ${cidrs.join(", ")}, but the objects stored use ${stored.join(", ")}; ` +
            "give those to --service-cluster-ip-range, or another directory to --data",
        );
      }
      const isReady = present.status?.conditions?.some(({ type }) => type === "Ready") === true;
      if (isReady && !grows) return undefined;
      return { ...present, spec: { cidrs }, status: { conditions: isReady ? present.status!.conditions : [ready] } };
    },
  );
}

/** Service, Endpoints and EndpointSlice `kubernetes` in `default` (SVC-280 … SVC-283). */
async function kubernetesService(
  context: Context,
  find: (resource: Resource) => Kind,
  options: BootstrapOptions,
): Promise<void> {
  const { ip, port } = options.advertise;
  const own = { name: "kubernetes", namespace: "default" };
  const primary = parseCidr(options.serviceRanges[0]!);
  const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
  await ensureOwn<Service>(
    context,
    find(resources.services),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...own, labels: { component: "apiserver", provider: "kubernetes" } },
      spec: {
        clusterIP: addressAt(primary, 1n),
        ipFamilies: [primary.family],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
        ports,
        sessionAffinity: "None",
        type: "ClusterIP",
      },
    },
    // SVC-281: only ports and type are mended; the address stays.
    (present) =>
      isDeepStrictEqual(present.spec?.ports, ports) && present.spec?.type === "ClusterIP"
        ? undefined
        : { ...present, spec: { ...present.spec, ports, type: "ClusterIP" } },
  );
  const subsets = [{ addresses: [{ ip }], ports: [{ name: "https", port, protocol: "TCP" }] }];
  await ensureOwn<Endpoints>(
    context,
    find(resources.endpoints),
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { ...own, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
      subsets,
    },
    (present) => (isDeepStrictEqual(present.subsets, subsets) ? undefined : { ...present, subsets }),
  );
  const endpoints = [{ addresses: [ip], conditions: { ready: true } }];
  const slicePorts = [{ name: "https", port, protocol: "TCP" }];
  const addressType = familyOf(ip) ?? "IPv4";
  const slice: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...own, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType,
    endpoints,
    ports: slicePorts,
  };
  await ensureOwn<EndpointSlice>(context, find(resources.endpointSlices), slice, (present) =>
    isDeepStrictEqual(present.endpoints, endpoints) && isDeepStrictEqual(present.ports, slicePorts)
      ? undefined
      : { ...present, endpoints, ports: slicePorts },
  );
}

/** Makes what every cluster has before anybody writes to it. Mends what differs; safe to run again. */
export async function bootstrap(context: Context, options: BootstrapOptions): Promise<void> {
  const find = (resource: Resource): Kind => {
    const kind = context.kinds.find(resource.group, resource.version, resource.plural);
    if (kind === undefined) throw new Error(`starting the API server: the kind ${resource.kind} is not served`);
    return kind;
  };
  await Promise.all([
    serviceCIDR(context, find(resources.serviceCIDRs), options.serviceRanges),
    ...NAMESPACES.map((name) =>
      ensureOwn<Namespace>(context, find(resources.namespaces), {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      } satisfies KubeObject as Namespace),
    ),
  ]);
  await kubernetesService(context, find, options);
}
