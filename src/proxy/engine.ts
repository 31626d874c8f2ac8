import type { Balance, NodePlan, ServicePlan } from "./plan/plan.ts";

export type ProxyMode = "nftables" | "iptables" | "ipvs" | "userspace";

/** Something an engine cannot do, with the reason in words a user reads. */
export type Ability = true | { readonly not: string };

/** What an engine can do, as data. Each exception names its reason, and a test of the packet table shows what happens instead. */
export interface EngineAbilities {
  readonly udp: Ability;
  readonly sctp: Ability;
  /** The pod sees the client's address wherever the rules do not masquerade (PRX-139). */
  readonly clientSourceAddress: Ability;
  /** A Service without endpoints refuses (PRX-045). */
  readonly refusalWithoutEndpoints: Ability;
  /** A Local policy without a local endpoint is silence (PRX-046, PRX-142). */
  readonly dropWithoutLocalEndpoints: Ability;
  /** PRX-071, PRX-143. */
  readonly refusalOfWrongPorts: Ability;
  /** PRX-072, PRX-144. */
  readonly dropOfUnassignedAddresses: Ability;
  /** PRX-090: who is not in loadBalancerSourceRanges hears nothing. */
  readonly dropOutsideSourceRanges: Ability;
  /** Pods and the node reach all endpoints behind externalTrafficPolicy Local (PRX-038, PRX-039). */
  readonly shortCircuits: Ability;
  readonly sessionAffinity: Ability;
  /** All ways to one Service port share a client's memory (PRX-096). */
  readonly affinityAcrossAddresses: Ability;
  /** Node ports on 127.0.0.1, and on ::1 (PRX-146). */
  readonly loopbackNodePorts: Ability;
  readonly loopbackNodePortsIPv6: Ability;
  /** Another endpoint is tried when one does not answer (PRX-149). */
  readonly retry: Ability;
  readonly weights: Ability;
  readonly portRanges: Ability;
  readonly balance: { readonly [name in Balance]: Ability };
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

/** An engine whose parts are its own affair: for who chooses one by name. */
export type AnyEngine = ProxyEngine<unknown, unknown, unknown>;

/** One number of an engine's own, as a metric under its full name. */
export interface EngineFigure {
  readonly type: "gauge" | "counter";
  /** As upstream names it, where upstream has it: `kubeproxy_sync_proxy_rules_iptables_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
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
  /** Whether what was applied is still there: a look that costs little, for what others do behind our back (PRX-178, PRX-270). */
  intact(was: Applied, signal: AbortSignal): Promise<boolean>;
  /** What the engine counts, for whoever reads metrics; costs little, as it is asked for at each reading. */
  figures?(was: Applied): readonly EngineFigure[];
  /** Removes all that is ours and nothing else; nothing there is no fault. */
  cleanup(signal: AbortSignal): Promise<void>;
  /** What of a Service (`namespace/name`) is not carried as things are now, in sentences for an event on it. */
  readonly complaints?: (key: string) => readonly string[];
  /** Ends the processes the engine runs beside us; what is in the kernel stays. */
  close(): Promise<void>;
}
