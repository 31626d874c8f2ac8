import type { Endpoint, EndpointPort, Node, Pod, Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { endpointPortsOf, portsKey } from "../pods/ports.ts";
import { endpointOf, isEndpoint } from "./endpoint.ts";

/** Endpoints that have the same ports. */
export interface Wanted {
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** CTL-031, CTL-033: the endpoints of one family by the ports that they have, in the pods' order. */
export function wantedOf(
  service: Service,
  pods: readonly Pod[],
  node: (name: string) => Node | undefined,
  family: IPFamily,
): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const pod of pods) {
    const its = pod.spec?.nodeName === undefined ? undefined : node(pod.spec.nodeName);
    if (!isEndpoint(pod, service, its)) continue;
    const endpoint = endpointOf(pod, service, its, family);
    if (endpoint === undefined) continue;
    const ports = endpointPortsOf(service, pod);
    const key = portsKey(ports);
    const held = wanted.get(key);
    if (held === undefined) wanted.set(key, { ports, endpoints: [endpoint] });
    else held.endpoints.push(endpoint);
  }
  // CTL-042: a Service without endpoints has one slice that says so.
  if (wanted.size === 0) wanted.set("", { ports: [], endpoints: [] });
  return wanted;
}
