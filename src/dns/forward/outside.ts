import type { Query } from "../wire/query.ts";

export type Transport = "udp" | "tcp";

/** Asks for names that nobody here knows by heart. What wraps another one is one file beside it. */
export interface Outside {
  /**
   * The whole response to a client's query, under the client's id and spelling; longer than the client takes, it is cut
   * by whoever sends it. Asked over `udp`, it may be one that an upstream has cut already. Rejects when there is none:
   * the client is then told SERVFAIL.
   */
  resolve(packet: Buffer, query: Query, transport: Transport): Buffer | Promise<Buffer>;
  /** Ends what it does by itself: health checks, connections kept open. */
  stop(): void;
}
