import type { IPFamily } from "../../net/ip.ts";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** Where a connection may be sent: an address of the plan's family and a port. */
export interface Target {
  readonly ip: string;
  readonly port: number;
  /** On this node. */
  readonly local: boolean;
}

/** Which endpoints a way in leads to. `reject` answers at once, `drop` is silence: PRX-045, PRX-046. */
export type Destination =
  | { readonly to: "targets"; readonly targets: readonly Target[] }
  | { readonly to: "reject" }
  | { readonly to: "drop" };

/** An address and port that clients call. */
export interface Frontend {
  readonly ip: string;
  readonly port: number;
  /**
   * `external` (externalIP) and `loadBalancer` are subject to externalTrafficPolicy and always masqueraded unless Local;
   * source ranges hold for `loadBalancer` only (PRX-088).
   */
  readonly kind: "cluster" | "external" | "loadBalancer";
}

/** One port of one Service in one family: the unit of work (PRX-006, PRX-007). */
export interface ServicePortPlan {
  /** `namespace/name:portName/PROTOCOL`. */
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
}

/** What belongs to no single Service. */
export interface NodePlan {
  readonly nodeName: string;
  /** Families this machine carries. */
  readonly families: readonly IPFamily[];
  /** Addresses on which node ports answer. */
  readonly nodePortAddresses: readonly string[];
  /** Ranges of Service addresses: one that is in here and belongs to no Service is dropped (PRX-072). */
  readonly serviceRanges: readonly string[];
  /** Sources that count as pods: the local detector (PRX-067). */
  readonly podRanges: readonly string[];
  /** Addresses of the node itself inside podRanges; they count as the node, not as pods. */
  readonly nodeAddresses: readonly string[];
  readonly masqueradeAll: boolean;
  /** Bit of the packet mark borrowed between the nat hooks and put back. */
  readonly masqueradeBit: number;
  /** Interfaces between which forwarding is allowed when it was off before us; undefined: do not restrict. */
  readonly forwardOnly: { readonly interfacePrefix: string } | undefined;
}
