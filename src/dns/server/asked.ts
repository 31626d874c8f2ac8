import type { Transport } from "../forward/outside.ts";
import type { Query } from "../wire/query.ts";
import type { Block } from "./block.ts";

/** Who asks, and where. */
export interface Peer {
  /** `""` is this server itself. */
  readonly address: string;
  readonly port: number;
}

/** One query on its way, and what becomes known of it. */
export interface Asked {
  readonly packet: Buffer;
  readonly query: Query;
  readonly transport: Transport;
  readonly peer: Peer;
  /** How many questions led to this one. */
  readonly hops: number;
  block: Block | undefined;
  /** Who answers, by CoreDNS's name. */
  plugin: string;
}
