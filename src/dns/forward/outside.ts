import type { Query } from "../wire/query.ts";

export type Transport = "udp" | "tcp";

/** Asks for names that nobody here knows by heart. What wraps another one is one file beside it. */
export interface Outside {
  /**
   * The whole response to a client's query, made out for this very client: its id, its spelling of the question, its RD
   * and CD bits, and an OPT record of our own if, and only if, the query has one (RFC 6891 §7): nothing that an upstream
   * put into its OPT record, nor the client into its own, is passed on. Longer than the client takes, it is cut by whoever
   * sends it. Asked over `udp`, it may be one that an upstream has cut already. Rejects when there is none: the client is
   * then told SERVFAIL. The bytes are the caller's own.
   */
  resolve(packet: Buffer, query: Query, transport: Transport): Buffer | Promise<Buffer>;
  /** Ends what it does by itself: health checks, connections kept open. */
  stop(): void;
}
