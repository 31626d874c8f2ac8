import type { Query } from "../wire/query.ts";
import type { Transport } from "./outside.ts";
import type { Response } from "./response.ts";

/** Gets responses from elsewhere, not yet made out for anybody in particular. */
export interface Resolver {
  /** Asked over `udp`, the response may be one that an upstream has cut. Rejects when there is none: with {@link Unanswered} when it was waited for. */
  resolve(packet: Buffer, query: Query, transport: Transport): Promise<Response>;
  stop(): void;
}

/** Upstreams were asked, and none answered in time. */
export class Unanswered extends Error {}
