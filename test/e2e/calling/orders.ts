/** Makes new connections, one after the other, and tells who answered each. */
export interface CallOrder {
  readonly order: "call";
  readonly url: string;
  /** 1 unless told. */
  readonly times?: number;
  /** Addresses to call from, each `times` times, in turn. */
  readonly from?: readonly string[];
  /** Milliseconds after which a call without an answer is given up; 5000 unless told. */
  readonly patience?: number;
}

/** What became of one call: the pod that answered, or the error's code (`SILENT` where nothing came). */
export interface Called {
  readonly pod?: string;
  /** The client's address as the pod saw it. */
  readonly seen?: string;
  readonly error?: string;
  readonly from?: string;
  readonly milliseconds: number;
}

/** Asks the resolver as a program would: `address` goes through the search list, the others ask DNS for the name as it is. */
export interface NameOrder {
  readonly order: "name";
  readonly type: "address" | "A" | "AAAA" | "SRV" | "PTR";
  readonly name: string;
}

export interface Named {
  readonly answers: readonly string[];
  readonly error?: string;
}

/** The environment of the program. */
export interface EnvironmentOrder {
  readonly order: "environment";
}

/** Runs a program until it ends, or for 30 seconds. */
export interface RunOrder {
  readonly order: "run";
  readonly command: string;
  readonly args: readonly string[];
}

/** How a program ended: its exit code, -1 where a signal ended it or it could not be started. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Order = CallOrder | NameOrder | EnvironmentOrder | RunOrder;

/** A line on the caller's standard input. With `via` it is handed on to the caller that listens there, e.g. one in a pod. */
export type Line = Order & { readonly via?: { readonly host: string; readonly port: number } };
