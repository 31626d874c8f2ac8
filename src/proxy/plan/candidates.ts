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

const byAddress = (one: EndpointAddress, other: EndpointAddress): number =>
  one.ip < other.ip ? -1 : one.ip > other.ip ? 1 : one.port - other.port;

/** PRX-013: each address and port once, of those in order; one that is not ending goes before one that is. */
function eachOnce(sorted: readonly Candidate[]): Candidate[] {
  const once: Candidate[] = [];
  for (const one of sorted) {
    const last = once.at(-1);
    if (last?.ip !== one.ip || last.port !== one.port) once.push(one);
    else if (last.endpoint.terminating && !one.endpoint.terminating) once[once.length - 1] = one;
  }
  return once;
}

/** The endpoints of one Service port in one family, each once, in order of address and port. */
export function candidates(slices: readonly ReadSlice[], wanted: PortOfService, nodeName: string): Candidate[] {
  const found: Candidate[] = [];
  for (const slice of slices) {
    if (slice.family !== wanted.family) continue; // PRX-008
    for (const { name, port, protocol } of slice.ports) {
      // PRX-007: joined by name and protocol, never by number.
      if (name !== wanted.name || protocol !== wanted.protocol) continue;
      for (const endpoint of slice.endpoints) {
        const local = endpoint.nodeName === nodeName && nodeName !== ""; // PRX-012
        found.push({ ip: endpoint.ip, port, local, endpoint });
      }
    }
  }
  return eachOnce(found.sort(byAddress));
}
