import type { IPFamily } from "../../net/ip.ts";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** An address and a port of an endpoint, of the plan's family. */
export interface EndpointAddress {
  readonly ip: string;
  readonly port: number;
}

/** Where a connection may be sent. */
export interface Target extends EndpointAddress {
  /** On this node. */
  readonly local: boolean;
  /** Its share of new connections beside the others of the list: a whole number, at least 1. */
  readonly weight: number;
}

/**
 * How a target is chosen for a new connection. `random`: each by its weight; `round-robin`: in turn; `least-connections`: who has
 * fewest for its weight; `maglev`: by the client's address, so that few clients move when targets come and go (Eisenbud et al.,
 * NSDI 2016, section 3.4); `source-hash`: by the client's address, over the list as it is. Undefined: as the engine usually does.
 */
export type Balance = "random" | "round-robin" | "least-connections" | "maglev" | "source-hash";

/** What becomes of established TCP connections to an endpoint that a Service has no more; milliseconds until they are closed. */
export type OnRemoval = { readonly action: "keep" } | { readonly action: "close"; readonly after: number };

/** Which endpoints a way in leads to. `reject` answers at once, `drop` is silence: PRX-045, PRX-046. */
export type Destination =
  | { readonly to: "targets"; readonly targets: readonly Target[] }
  | { readonly to: "reject" }
  | { readonly to: "drop" };

/** An address and port that clients call. */
export interface Frontend {
  readonly ip: string;
  readonly port: number;
  /** The last port of a range that begins with `port`; only where the Service port `keepsPort`. */
  readonly lastPort?: number;
  /**
   * `external` (externalIP) and `loadBalancer` are subject to externalTrafficPolicy and always masqueraded unless Local;
   * source ranges hold for `loadBalancer` only (PRX-088).
   */
  readonly kind: "cluster" | "external" | "loadBalancer";
}

/** One port of one Service in one family: the unit of work (PRX-006, PRX-007). */
export interface ServicePortPlan {
  /** `namespace/name:portName/PROTOCOL`; of a range of ports with `#range` behind. */
  readonly id: string;
  readonly family: IPFamily;
  readonly protocol: Protocol;
  readonly frontends: readonly Frontend[];
  readonly nodePort: number | undefined;
  /** For clusterIP traffic of every client. */
  readonly internal: Destination;
  /** For nodePort, externalIP and load-balancer traffic from outside. */
  readonly external: Destination;
  /** externalTrafficPolicy Local: outside traffic keeps its source; pods and the node use `internal`'s Cluster list. */
  readonly externalLocal: boolean;
  /** The Cluster list, for the short circuits of PRX-038 and PRX-039. */
  readonly cluster: Destination;
  /** Endpoints that serve, ready or ending, whatever policy and topology say: where a UDP flow under way may stay (PRX-203, PRX-204). */
  readonly serving: readonly EndpointAddress[];
  readonly balance: Balance | undefined;
  readonly onRemoval: OnRemoval;
  /** A range of ports: a connection goes to the port of the target that it was made to, and `Target.port` says nothing. */
  readonly keepsPort: boolean;
  readonly affinitySeconds: number | undefined;
  /** CIDRs allowed to reach the load-balancer addresses; undefined is everybody. */
  readonly sourceRanges: readonly string[] | undefined;
}

/** A whole Service as the proxy sees it; `key` is `namespace/name`. */
export interface ServicePlan {
  readonly key: string;
  /** All clusterIPs, of both families: a packet to one on another port is refused (PRX-071). */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly ServicePortPlan[];
  /** PRX-107; undefined where none is wanted. */
  readonly healthCheckNodePort: number | undefined;
  /** Addresses of ready endpoints on this node, each once (PRX-111). */
  readonly localReady: readonly string[];
  /** Whether endpoints that fail their clients are to be left out for a while. */
  readonly penaltyBox: boolean;
  /** What of the Service cannot be done as it is written, in sentences for an event on it. */
  readonly complaints: readonly string[];
}

/** How the source of a packet is known to be a pod (PRX-067 … PRX-070). Ranges of no family, or none at all: it is not known there. */
export type LocalDetector =
  | { readonly by: "ranges"; readonly ranges: readonly string[] }
  | { readonly by: "interface"; readonly name: string }
  | { readonly by: "interface-prefix"; readonly prefix: string };

/** What belongs to no single Service. */
export interface NodePlan {
  readonly nodeName: string;
  /** Families this machine carries. */
  readonly families: readonly IPFamily[];
  /** Addresses on which node ports answer; a family that is in none of its own has none. `all`: every address of the machine. */
  readonly nodePortAddresses: { readonly [family in IPFamily]: "all" | readonly string[] };
  /** Node ports answer on 127.0.0.1 too, where the engine can (PRX-081). */
  readonly localhostNodePorts: boolean;
  /** Ranges of Service addresses: one that is in here and belongs to no Service is dropped (PRX-072). */
  readonly serviceRanges: readonly string[];
  readonly localDetector: LocalDetector;
  /** Addresses of the node itself; those inside the detector's ranges count as the node, not as pods. */
  readonly nodeAddresses: readonly string[];
  readonly masqueradeAll: boolean;
  /** Bit of the packet mark borrowed between the nat hooks and put back. */
  readonly masqueradeBit: number;
  /** Interfaces between which forwarding is allowed when it was off before us; undefined: do not restrict. */
  readonly forwardOnly: { readonly interfacePrefix: string } | undefined;
}
