import type { Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { canonicalIP, familyOf, hostPort, type IPFamily } from "../../net/ip.ts";
import type { EndpointAddress, Protocol, Target } from "./plan.ts";

/** Where the proxy stands: what makes an endpoint local or near. */
export interface Place {
  readonly nodeName: string;
  /** The node's `topology.kubernetes.io/zone`. */
  readonly zone: string | undefined;
}

interface Candidate extends Target {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodes: readonly string[];
  readonly zones: readonly string[];
}

/** The two lists a policy chooses from. */
export interface EndpointLists {
  /** PRX-020. */
  readonly cluster: readonly Target[];
  /** PRX-021. */
  readonly local: readonly Target[];
  /** PRX-203, PRX-204. */
  readonly serving: readonly EndpointAddress[];
  /** Addresses of ready endpoints on this node. */
  readonly localReady: readonly string[];
}

function candidate(endpoint: Endpoint, port: number, family: IPFamily, place: Place): Candidate | undefined {
  const ip = endpoint.addresses[0]; // PRX-010
  if (ip === undefined || familyOf(ip) !== family) return undefined;
  const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {}; // PRX-011
  return {
    ip: canonicalIP(ip),
    port,
    local: endpoint.nodeName === place.nodeName, // PRX-012
    weight: 1,
    ready,
    serving,
    terminating,
    nodes: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
    zones: (endpoint.hints?.forZones ?? []).map((hint) => hint.name),
  };
}

/** The endpoints of one Service port in one family, each address and port once (PRX-013). */
function candidates(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: Protocol,
  family: IPFamily,
  place: Place,
): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue; // PRX-008
    for (const port of slice.ports ?? []) {
      // PRX-007: joined by name and protocol, never by number. An API server always sets a name, maybe an empty one.
      if (port.name === undefined || !port.port) continue;
      if (port.name !== portName || (port.protocol ?? "TCP") !== protocol) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const one = candidate(endpoint, port.port, family, place);
        if (one === undefined) continue;
        const key = hostPort(one.ip, one.port);
        const other = found.get(key);
        if (other === undefined || (other.terminating && !one.terminating)) found.set(key, one);
      }
    }
  }
  return [...found.values()];
}

/** Ready endpoints by topology hints: PRX-029 … PRX-032. One without hints switches them off for all. */
function near(ready: readonly Candidate[], place: Place): readonly Candidate[] {
  for (const [hints, here] of [
    ["nodes", place.nodeName],
    ["zones", place.zone],
  ] as const) {
    if (here === undefined || !ready.every((one) => one[hints].length > 0)) continue;
    const chosen = ready.filter((one) => one[hints].includes(here));
    if (chosen.length > 0) return chosen;
  }
  return ready;
}

const byAddress = (one: EndpointAddress, other: EndpointAddress): number =>
  one.ip < other.ip ? -1 : one.ip > other.ip ? 1 : one.port - other.port;

const targets = (chosen: readonly Candidate[]): Target[] =>
  chosen.map(({ ip, port, local, weight }) => ({ ip, port, local, weight })).toSorted(byAddress);

/** Terminating endpoints that still serve stand in only when nothing is ready: PRX-020 … PRX-025. */
const orTerminating = (ready: readonly Candidate[], all: readonly Candidate[]): readonly Candidate[] =>
  ready.length > 0 ? ready : all.filter((one) => one.serving && one.terminating);

/** The lists of one Service port in one family, in a fixed order. */
export function endpointLists(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: Protocol,
  family: IPFamily,
  place: Place,
): EndpointLists {
  const all = candidates(slices, portName, protocol, family, place);
  const ready = all.filter((one) => one.ready);
  const isLocal = (one: Candidate): boolean => one.local;
  const serving = all.filter((one) => one.ready || one.serving).map(({ ip, port }) => ({ ip, port }));
  return {
    cluster: targets(orTerminating(near(ready, place), all)),
    local: targets(orTerminating(ready.filter(isLocal), all.filter(isLocal))),
    serving: serving.toSorted(byAddress),
    localReady: ready.filter(isLocal).map(({ ip }) => ip),
  };
}
