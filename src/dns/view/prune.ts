import type { Endpoint, EndpointSlice, Namespace, ObjectMeta, Pod, Service } from "../../api/generated/types.ts";
import { DNS_LOG_ANNOTATION } from "../clients/pod-clients.ts";

/**
 * What DNS does not read of an object is taken away before it is kept: of a hundred thousand endpoints that is most of what
 * there is. What is left is made anew, so that nothing else is held through it.
 */

/** When the change that a slice tells of was made (EndpointSlice API); how long it took to be answered is counted from it. */
const TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time";

function metadataOf(
  { name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp, ownerReferences }: ObjectMeta,
  kept: { readonly labels?: boolean; readonly annotation?: string; readonly owners?: boolean },
): ObjectMeta {
  const note = kept.annotation === undefined ? undefined : annotations?.[kept.annotation];
  return {
    name,
    namespace,
    uid,
    resourceVersion,
    ...(kept.labels === true && labels !== undefined ? { labels } : {}),
    ...(note === undefined ? {} : { annotations: { [kept.annotation!]: note } }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(kept.owners === true && ownerReferences !== undefined ? { ownerReferences } : {}),
  };
}

export function pruneService(service: Service): void {
  service.metadata = metadataOf(service.metadata, {});
  service.status = undefined;
  const { type, clusterIP, clusterIPs, externalName, ports } = service.spec ?? {};
  service.spec = {
    type,
    clusterIP,
    clusterIPs,
    ...(externalName === undefined ? {} : { externalName }),
    ports: ports?.map(({ name, protocol, port }) => ({ name, protocol, port })),
  };
}

const SERVICE_NAME = "kubernetes.io/service-name";

/** `wanted`: what is read only when the configuration asks for it. Endpoints that are not ready have no names (DNS-019). */
export function pruneSlice(
  slice: EndpointSlice,
  wanted: { readonly podNames: boolean; readonly zones: boolean },
): void {
  const name = slice.metadata.labels?.[SERVICE_NAME];
  slice.metadata = metadataOf(slice.metadata, { annotation: TRIGGERED, owners: true });
  if (name !== undefined) slice.metadata.labels = { [SERVICE_NAME]: name };
  slice.ports = slice.ports?.map(({ name: of, protocol, port }) => ({ name: of, protocol, port }));
  slice.endpoints = (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ addresses, hostname, targetRef, zone }): Endpoint => {
      const pod = wanted.podNames ? targetRef?.name : undefined;
      return {
        addresses,
        ...(hostname === undefined ? {} : { hostname }),
        ...(pod === undefined ? {} : { targetRef: { name: pod } }),
        ...(wanted.zones && zone !== undefined ? { zone } : {}),
      };
    });
}

export function pruneNamespace(namespace: Namespace): void {
  namespace.metadata = metadataOf(namespace.metadata, { labels: true });
  namespace.spec = undefined;
  namespace.status = undefined;
}

export function prunePod(pod: Pod): void {
  const { hostNetwork, dnsPolicy, dnsConfig } = pod.spec ?? {};
  const { phase, podIP, podIPs } = pod.status ?? {};
  pod.metadata = metadataOf(pod.metadata, { annotation: DNS_LOG_ANNOTATION });
  pod.spec = {
    containers: [],
    dnsPolicy,
    ...(hostNetwork === undefined ? {} : { hostNetwork }),
    ...(dnsConfig === undefined ? {} : { dnsConfig }),
  };
  pod.status = { phase, podIP, podIPs };
}
