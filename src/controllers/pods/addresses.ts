import type { Pod, Service } from "../../api/generated/types.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import type { IPFamily } from "../../net/ip.ts";
import { familyOf } from "../../net/ip.ts";

/** CTL-023: the pod's addresses of one family, in canonical form. */
export function podAddresses(pod: Pod, family: IPFamily): string[] {
  const listed = (pod.status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  const single = pod.status?.podIP;
  const all = listed.length > 0 || single === undefined ? listed : [single];
  return all.flatMap((ip) => {
    const canonical = lenientIP(ip);
    return canonical !== undefined && familyOf(canonical) === family ? canonical : [];
  });
}

/** CTL-004: whether the pod has been given an address yet. */
export const hasAddress = (pod: Pod): boolean =>
  (pod.status?.podIPs?.length ?? 0) > 0 || (pod.status?.podIP ?? "") !== "";

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === "None";

/** CTL-035: the families a Service has endpoints of, its primary one first. Objects from before dual stack say less. */
export function familiesOf(service: Service): IPFamily[] {
  const said = (service.spec?.ipFamilies ?? []).filter((family) => family === "IPv4" || family === "IPv6");
  if (said.length > 0) return said;
  const clusterIP = service.spec?.clusterIP ?? "";
  const family = familyOf(clusterIP);
  return family === undefined ? ["IPv4", "IPv6"] : [family];
}

/** CTL-001, CTL-002: the selector of a Service whose endpoints are made by controllers; undefined when they are somebody else's. */
export function selectorOf(service: Service): Readonly<Record<string, string>> | undefined {
  const { selector, type } = service.spec ?? {};
  return type === "ExternalName" || selector === undefined || Object.keys(selector).length === 0 ? undefined : selector;
}

/** CTL-003: all pairs of the selector are among the labels. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** CTL-027: the pod's own name under the Service, where it asks for one. */
export const hostnameOf = (pod: Pod, service: Service): string | undefined =>
  pod.spec?.hostname !== undefined &&
  pod.spec.hostname !== "" &&
  pod.spec.subdomain === service.metadata.name &&
  pod.metadata.namespace === service.metadata.namespace
    ? pod.spec.hostname
    : undefined;
