import type { Lookup } from "./record.ts";

/** Knows names by heart: the cluster's, or those of a hosts file. */
export interface Source {
  /** What it is called in metrics and logs: the plugin of CoreDNS that does the same. */
  readonly plugin?: string;
  /**
   * Answers a question, or undefined when whoever comes next is to be asked. `labels` are in lower case, without the root;
   * `type` is a number of `TYPE`.
   */
  lookup(labels: readonly string[], type: number): Lookup | undefined;
}
