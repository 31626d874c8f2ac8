/** A pod that asks. */
export interface PodClient {
  readonly namespace: string;
  readonly name: string;
  /**
   * The domains of its search list behind the three of the cluster, in order; undefined when its list does not begin with
   * those three, or is not known for certain.
   */
  readonly searches: readonly string[] | undefined;
  /** Somebody wants its queries in the log: it is annotated with `fairlead.dev/dns-log: "true"`. */
  readonly logged: boolean;
}

/** Who asks, by address. */
export interface Clients {
  /** Undefined for whoever is not certainly one pod. */
  of(address: string): PodClient | undefined;
  /** False while no pod's queries are wanted in the log; absent: that is not known. */
  readonly isAnyLogged?: boolean;
}
