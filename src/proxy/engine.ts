import type { NodePlan, ServicePlan } from "./plan/plan.ts";

export type ProxyMode = "nftables" | "iptables" | "ipvs" | "userspace";

/** Something an engine cannot do, with the reason in words a user reads. */
export type Ability = true | { readonly not: string };

/** What an engine can do, as data. */
export interface EngineAbilities {
  readonly clientSourceAddress: Ability;
  readonly sessionAffinity: Ability;
  readonly udp: Ability;
  readonly sctp: Ability;
  readonly dropOfUnassignedAddresses: Ability;
  readonly refusalOfWrongPorts: Ability;
}

/** Whether an engine can run here; `missing` is a sentence that names the thing and how to get it. */
export type Support = { readonly supported: true } | { readonly supported: false; readonly missing: string };

/** What `apply` should make true: everything, always; the engine finds what differs. */
export interface Desired<Part, Frame> {
  readonly frame: Frame;
  /** By ServicePlan key. */
  readonly parts: ReadonlyMap<string, Part>;
  /**
   * Keys whose part may differ from the one in the last call that answered the same `Applied`, so that a change costs
   * O(change); undefined: any may.
   */
  readonly changed?: ReadonlySet<string> | undefined;
}

/** A way to carry Service traffic. It is given the state that is wanted, never a list of strokes. */
export interface ProxyEngine<Part, Frame, Applied> {
  readonly name: ProxyMode;
  readonly abilities: EngineAbilities;
  supported(): Promise<Support>;
  /** Pure: what belongs to no single Service (ranges, node addresses, base chains). */
  compileNode(node: NodePlan): Frame;
  /** Pure: same plan, same part. */
  compile(service: ServicePlan, node: NodePlan): Part;
  /** What the kernel holds of ours now; opaque to everybody else. */
  read(signal: AbortSignal): Promise<Applied>;
  /** Makes the difference; one transaction per batch of whole Services. Answers the new `Applied`. */
  apply(next: Desired<Part, Frame>, was: Applied, signal: AbortSignal): Promise<Applied>;
  /** Removes all that is ours and nothing else. */
  cleanup(signal: AbortSignal): Promise<void>;
  /** Ends the processes the engine runs beside us; what is in the kernel stays. */
  close(): Promise<void>;
}
