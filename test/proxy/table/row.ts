import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import type { IPFamily } from "../../../src/net/ip.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import type { Network, PodName } from "../lab/network.ts";
import type { From, To } from "./ways.ts";
import type { AbilityName } from "./subject.ts";

/**
 * What a call comes to. `dropped`: silence by a rule; `unanswered`: silence because nobody is there, which a sender on the node itself
 * can tell from a drop; `closed`: accepted, then closed without a word (of UDP: silence).
 */
export type Expected = "refused" | "dropped" | "unanswered" | "closed" | Answered;

/** A pod, on its usual port or on the one after it. */
export type End = PodName | `${PodName}:8081`;

/** Who answers, each of them in the end and no other, and the source they see: the caller's own, the node's on that side, or whatever. */
export interface Answered {
  readonly pods: readonly End[];
  readonly source: "kept" | "node" | "any";
}

export interface Cell {
  readonly from: From;
  readonly to: To;
  readonly family: IPFamily;
  readonly protocol: "TCP" | "UDP";
}

/** A Service of a group; `number` gives its addresses and node ports. */
export interface Case {
  readonly number: number;
  readonly spec?: NonNullable<Service["spec"]>;
  readonly status?: Service["status"];
  /** Ready endpoints, unless there are `slices`. */
  readonly pods?: readonly PodName[];
  slices?(name: string): EndpointSlice[];
}

export interface Row {
  /** `PRX-052, PRX-066: a sentence`. */
  readonly name: string;
  /** Its Service, a key of the group's cases. */
  readonly service: string;
  readonly to: To;
  readonly expected: { readonly [from in From]?: Expected };
  /** The ability by which refusals and silence in this row are; an engine without it has something else in these cells. */
  readonly by?: AbilityName;
  /** Cells that are otherwise for an engine without the ability. Where `by` has a say too, it comes after. */
  readonly unless?: { readonly [name in AbilityName]?: { readonly [from in From]?: Expected } };
  readonly families?: readonly IPFamily[];
  readonly protocols?: readonly ("TCP" | "UDP")[];
}

/** Services and rows on one set-up of the node. */
export interface Group {
  readonly title: string;
  readonly node?: Partial<NodePlan>;
  readonly zone?: string;
  readonly cases: Readonly<Record<string, Case>>;
  readonly rows: readonly Row[];
  /** Runs without the remains of the groups before it: for what is to be absent. */
  readonly fresh?: boolean;
  /** What happens to the node before the Services are carried. */
  prepare?(network: Network): Promise<void>;
  /** Services that are taken away again before anybody calls. */
  readonly removed?: readonly string[];
}

export const same = (expected: Expected, from: readonly From[] = ["pod1", "node", "client"]): Row["expected"] =>
  Object.fromEntries(from.map((one) => [one, expected]));
/** Answered, and the pods see the caller's own address. */
export const kept = (...pods: readonly End[]): Answered => ({ pods, source: "kept" });
/** Answered, and the pods see the node's address. */
export const node = (...pods: readonly End[]): Answered => ({ pods, source: "node" });
