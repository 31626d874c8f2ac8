/** Which kind of answer is kept: of names and records that there are, or of those that there are not. */
export type Kept = "success" | "denial";

/** What is counted of asking outside, for one server block. */
export interface ForwardFigures {
  /** An upstream, as `IP:PORT`, has answered with this response code after so many seconds. */
  answered(upstream: string, rcode: number, seconds: number): void;
  healthCheckFailed(upstream: string): void;
  /** All upstreams count as down when one was needed. */
  allDown(): void;
  /** A query was sent over a socket or connection that was there already, or over a new one. */
  connection(upstream: string, protocol: "udp" | "tcp" | "tcp-tls", reused: boolean): void;
  /** A query was refused, as too many were under way. */
  rejected(): void;
  cacheHit(kind: Kept): void;
  cacheMiss(): void;
  cacheEvicted(kind: Kept): void;
  cacheEntries(kind: Kept, count: number): void;
  servedStale(): void;
  prefetched(): void;
}

export const noFigures: ForwardFigures = {
  answered() {},
  healthCheckFailed() {},
  allDown() {},
  connection() {},
  rejected() {},
  cacheHit() {},
  cacheMiss() {},
  cacheEvicted() {},
  cacheEntries() {},
  servedStale() {},
  prefetched() {},
};
