import type { EndpointAddress, Protocol } from "./plan.ts";
import type { ReadEndpoint, ReadSlice } from "./slice.ts";
import type { IPFamily } from "../../net/ip.ts";

/** Where the proxy stands: what makes an endpoint local or near. */
export interface Place {
  readonly nodeName: string;
  /** The node's `topology.kubernetes.io/zone`. */
  readonly zone: string | undefined;
}

/** One endpoint at one port, seen from a node. */
export interface Candidate extends EndpointAddress {
  readonly local: boolean;
  readonly endpoint: ReadEndpoint;
}

/** Which endpoints of which slices are meant. */
export interface PortOfService {
  readonly name: string;
  readonly protocol: Protocol;
  readonly family: IPFamily;
}

/** The endpoints of one Service port in one family, each address and port once (PRX-013). */
export function candidates(slices: readonly ReadSlice[], wanted: PortOfService, nodeName: string): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.family !== wanted.family) continue; // PRX-008
    for (const { name, port, protocol } of slice.ports) {
      // PRX-007: joined by name and protocol, never by number.
      if (name !== wanted.name || protocol !== wanted.protocol) continue;
      for (const endpoint of slice.endpoints) {
        const key = `${endpoint.ip} ${port}`;
        const other = found.get(key);
        if (other !== undefined && (!other.endpoint.terminating || endpoint.terminating)) continue;
        const local = endpoint.nodeName === nodeName && nodeName !== ""; // PRX-012
        found.set(key, { ip: endpoint.ip, port, local, endpoint });
      }
    }
  }
  return [...found.values()];
}
