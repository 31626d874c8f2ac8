/** A port that a simulated container answers at. */
export interface AnsweredPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** A simulated container that answers. */
export interface Answering {
  /** Given out anew for each opening. */
  readonly id: number;
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly container: string;
  readonly hostname: string;
  /** Canonical. */
  readonly addresses: readonly string[];
  readonly ports: readonly AnsweredPort[];
  /** Appended with a line for each request. */
  readonly log: string;
}

/** What the runtime tells the program that answers, one JSON line each on its standard input. */
export type Order =
  | { readonly order: "open"; readonly answering: Answering }
  /** Goes on until nobody has come for a while, then ends what is left: nothing that was begun is lost. */
  | { readonly order: "drain"; readonly id: number }
  /** Ends at once. */
  | { readonly order: "shut"; readonly id: number };

/** What the program that answers tells the runtime, one JSON line each on its standard output. */
export type Report =
  | { readonly report: "opened"; readonly id: number }
  | { readonly report: "refused"; readonly id: number; readonly why: string }
  | { readonly report: "drained"; readonly id: number }
  | { readonly report: "shut"; readonly id: number };
