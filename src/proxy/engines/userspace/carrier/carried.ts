import type { IPFamily } from "../../../../net/ip.ts";
import type { Balance, EndpointAddress, OnRemoval } from "../../../plan/plan.ts";

/** Where a connection may be sent, as far as the carrier cares. */
export interface CarriedTarget extends EndpointAddress {
  readonly weight: number;
}

/** Among ranges: every address of the machine on which the carrier runs, as they are at the moment. */
export const OWN = "own";

export type ListName = "internal" | "external" | "cluster";

/** One address on which a Service port is called. */
export interface Entrance {
  /** An address, or `0.0.0.0` or `::` for every address of the machine but loopback. */
  readonly ip: string;
  readonly port: number;
  /** The last port of a range that begins with `port`. */
  readonly lastPort?: number | undefined;
  /** Where those go who come from outside, or everybody where `inside` is undefined; undefined: nowhere. */
  readonly list: ListName | undefined;
  /** Others go another way whose address is in one of these ranges, or is the called one: pods and the node. */
  readonly inside?: { readonly ranges: readonly string[]; readonly list: ListName | undefined } | undefined;
  /** Whoever is not in some range of each list hears nothing. No list lets everybody in; a list without ranges nobody. */
  readonly admits: readonly (readonly string[])[];
}

/** One port of one Service in one family, in words that fit into a message: what the carrier needs to know to carry it. */
export interface CarriedPort {
  /** The plan's id and the family. */
  readonly id: string;
  /** `namespace/name`. */
  readonly service: string;
  readonly family: IPFamily;
  readonly protocol: "TCP" | "UDP";
  readonly entrances: readonly Entrance[];
  readonly lists: { readonly [name in ListName]?: readonly CarriedTarget[] };
  readonly serving: readonly EndpointAddress[];
  readonly balance: Balance;
  readonly onRemoval: OnRemoval;
  readonly keepsPort: boolean;
  readonly affinitySeconds: number | undefined;
  /** Addresses of this node: where a client is remembered, they are one client. */
  readonly own: readonly string[];
}

/** A socket that could not be opened, and why: an errno(3) name, such as EADDRINUSE. */
export interface Refused {
  readonly id: string;
  readonly service: string;
  readonly protocol: "TCP" | "UDP";
  readonly ip: string;
  readonly port: number;
  readonly code: string;
}

/** To the carrier. */
export interface CarrierRequest {
  readonly seq: number;
  /** Ports that are not named here are not carried any more. */
  readonly full: boolean;
  /** Whether addresses may be bound that are local by a route alone. */
  readonly anyAddress: boolean;
  /** Ports by id; null for those that are gone. */
  readonly ports: readonly (readonly [id: string, port: CarriedPort | null])[];
}

/** From the carrier: an answer, or news where `seq` is absent. `refused` is all that cannot be opened now. */
export interface CarrierReport {
  readonly seq?: number;
  readonly refused: readonly Refused[];
}
