import type { EndpointSlice, IngressClass, Service } from "../api/generated/types.ts";
import { DEFAULT_ANNOTATION } from "../api/ingressClass/annotations.ts";
import { apiVersionOf } from "../api/object.ts";
import { endpointSlices, ingressClasses, services } from "../api/resources.ts";
import { isApiError } from "../api/status.ts";
import type { Client } from "../client/client.ts";
import { ensure, held } from "../client/ensure.ts";
import { familyOf, type IPFamily } from "../net/ip.ts";

export const INGRESS_NAMESPACE = "kube-system";
export const INGRESS_SERVICE = "fairlead-ingress";
/** The usual name of the class, and `spec.controller` of all classes that are ours. */
export const INGRESS_CLASS = "fairlead";
export const INGRESS_CONTROLLER = "fairlead.dev/ingress";
const MANAGED_BY = "ingress.fairlead";
const LABELS = { "app.kubernetes.io/name": INGRESS_SERVICE };

/** Where the door is open: addresses of the node that its pods reach, and the ports of both listeners. */
export interface Door {
  readonly addresses: readonly string[];
  readonly http: number;
  readonly https: number;
  readonly nodeName: string;
}

/** The class is made once: who changes it, or takes it away from the defaults, is not overruled. */
export async function ensureClass(client: Client, signal: AbortSignal): Promise<void> {
  const wanted: IngressClass = {
    apiVersion: apiVersionOf(ingressClasses),
    kind: "IngressClass",
    metadata: { name: INGRESS_CLASS, annotations: { [DEFAULT_ANNOTATION]: "true" } },
    spec: { controller: INGRESS_CONTROLLER },
  };
  if ((await held(client, ingressClasses, { name: INGRESS_CLASS }, signal)) !== undefined) return;
  await client.create(ingressClasses, wanted, {}, signal).catch((error: unknown) => {
    if (!isApiError(error, "AlreadyExists")) throw error;
  });
}

/**
 * The Service that gives the door a load balancer's address. It has no selector: its slices are ours. Local, so that clients keep their
 * addresses.
 */
const doorService = (): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: INGRESS_SERVICE, namespace: INGRESS_NAMESPACE, labels: LABELS },
  spec: {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    allocateLoadBalancerNodePorts: false,
    ipFamilyPolicy: "PreferDualStack",
    ports: [
      { name: "http", protocol: "TCP", port: 80, targetPort: 80 },
      { name: "https", protocol: "TCP", port: 443, targetPort: 443 },
    ],
  },
});

/** One slice for each family. */
function doorSlices(door: Door, service: Service): EndpointSlice[] {
  const families = Map.groupBy(door.addresses, (address): IPFamily => familyOf(address) ?? "IPv4");
  return [...families].map(([family, addresses]) => ({
    apiVersion: apiVersionOf(endpointSlices),
    kind: "EndpointSlice",
    metadata: {
      name: `${INGRESS_SERVICE}-${family.toLowerCase()}`,
      namespace: INGRESS_NAMESPACE,
      labels: {
        ...LABELS,
        "kubernetes.io/service-name": INGRESS_SERVICE,
        "endpointslice.kubernetes.io/managed-by": MANAGED_BY,
      },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "Service",
          name: INGRESS_SERVICE,
          uid: service.metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: family,
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: door.nodeName,
    })),
    ports: [
      { name: "http", protocol: "TCP", port: door.http },
      { name: "https", protocol: "TCP", port: door.https },
    ],
  }));
}

/** Makes Service `kube-system/fairlead-ingress` and its slices what they should be. Throws what the API server answers. */
export async function ensureDoor(client: Client, door: Door, signal: AbortSignal): Promise<void> {
  const service = await ensure(client, services, doorService(), signal);
  for (const slice of doorSlices(door, service)) await ensure(client, endpointSlices, slice, signal);
}
