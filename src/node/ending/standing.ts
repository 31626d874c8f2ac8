import type { EndpointSlice, Pod, Service } from "../../api/generated/types.ts";

/** Whether a proxy leads to the pod for this Service, and stops when the pod ends. */
export function selectsPod(service: Service, pod: Pod): boolean {
  const { selector, clusterIP, type, publishNotReadyAddresses } = service.spec ?? {};
  if (service.metadata.namespace !== pod.metadata.namespace || selector === undefined) return false;
  // No proxy carries a headless Service (PRX-002); one that publishes unready pods keeps them to their end (CTL-021).
  if (type === "ExternalName" || clusterIP === "None" || publishNotReadyAddresses === true) return false;
  const labels = pod.metadata.labels ?? {};
  const pairs = Object.entries(selector);
  return pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
}

const endpointOf = (slice: EndpointSlice, uid: string) =>
  slice.endpoints?.find(({ targetRef }) => targetRef?.uid === uid);

/** The slice lets new connections go to the pod. */
export function leadsTo(slice: EndpointSlice, uid: string): boolean {
  const endpoint = endpointOf(slice, uid);
  return endpoint !== undefined && endpoint.conditions?.terminating !== true && endpoint.conditions?.ready !== false;
}

/** How a pod stands in slices: some lead to it; or none does, the newest of those that name it being of `version`. */
export type Standing = "leads" | { readonly version: string | undefined };

export function standingOf(slices: Iterable<EndpointSlice>, uid: string): Standing {
  let newest: bigint | undefined;
  for (const slice of slices) {
    if (endpointOf(slice, uid) === undefined) continue;
    if (leadsTo(slice, uid)) return "leads";
    const version = BigInt(slice.metadata.resourceVersion ?? "0");
    if (newest === undefined || version > newest) newest = version;
  }
  return { version: newest?.toString() };
}
