import type { Pod, Service } from "../../api/generated/types.ts";

/** Whether a proxy leads to the pod for this Service, and stops when the pod ends. */
export function selectsPod(service: Service, pod: Pod): boolean {
  const { selector, clusterIP, type, publishNotReadyAddresses } = service.spec ?? {};
  // PRX-001: another proxy's.
  if (service.metadata.labels?.["service.kubernetes.io/service-proxy-name"] !== undefined) return false;
  if (service.metadata.namespace !== pod.metadata.namespace || selector === undefined) return false;
  // No proxy carries a headless Service (PRX-002); one that publishes unready pods keeps them to their end (CTL-021).
  if (type === "ExternalName" || clusterIP === "None" || publishNotReadyAddresses === true) return false;
  const labels = pod.metadata.labels ?? {};
  const pairs = Object.entries(selector);
  return pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
}
