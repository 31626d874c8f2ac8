import type { DnsConfiguration, ServerBlock } from "../configuration.ts";
import type { Line } from "./blocks.ts";
import type { Place } from "./fault.ts";

/** How a Corefile says the API server is reached; files as they are named there. */
export interface ClusterAccess {
  readonly endpoint?: string;
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly kubeconfig?: { readonly file: string; readonly context?: string };
}

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A server block while its directives are read. */
export type BlockDraft = Changeable<ServerBlock>;

/** What a Corefile says beside its server blocks. */
export type WholeDraft = Changeable<Omit<DnsConfiguration, "servers">> & { access?: ClusterAccess };

/** What a directive may look at and write. */
export interface Reading {
  readonly block: BlockDraft;
  readonly whole: WholeDraft;
  /** The text of a file. Throws as readFileSync does. */
  readonly readFile: (path: string) => string;
  /** Addresses of a network interface; undefined where there is none of that name. */
  readonly addressesOf: (interfaceName: string) => readonly string[] | undefined;
  /** Something is read, and does nothing. */
  readonly warn: (at: Place, sentence: string) => void;
}

/** A word that a line of a server block may begin with. */
export interface Directive {
  readonly name: string;
  /** May stand in one block more than once. */
  readonly repeats?: true;
  /** Throws CorefileError for what is not right. */
  read(line: Line, reading: Reading): void;
}
