import type { AccessLog } from "./access-log.ts";
import type { IngressPlan } from "./plan/plan.ts";

export type IngressEngineName = "builtin" | "haproxy";

/** An address that HTTP is served on. */
export interface Listener {
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  readonly tls: boolean;
  /** Each connection begins with a PROXY protocol header, version 1 or 2, that says who the client is. */
  readonly proxyProtocol: boolean;
}

/** A socket for a listener that somebody else has open already: a descriptor of our own for it. Undefined: the engine makes one. */
export type ListenerOpener = (listener: Listener) => number | undefined;

/** Who may say, in `X-Forwarded-For`, `-Proto` and `-Host`, for whom it asks; what others say in them is replaced. */
export interface ForwardedTrust {
  /** CIDRs. */
  readonly from: readonly string[];
}

/** Connections with clients, counted since the engine was made. */
export interface ConnectionFigures {
  readonly open: number;
  readonly taken: number;
  /** Handshakes of TLS that came to nothing. */
  readonly handshakesFailed: number;
  /** Requests and connections that were not as they must be. */
  readonly refused: number;
  /** Cut because nothing came, or nothing was taken, for too long. */
  readonly stalled: number;
}

/** Carries what a plan says: the state you want, never a list of strokes. */
export interface IngressEngine {
  readonly name: IngressEngineName;
  /**
   * Serves by this plan from now on; resolves when every new request is. The first call opens the listeners: nobody is answered before there is
   * a plan. Connections stay open whatever changes, and a request that began goes on by the plan that it began with. While it is stopping, what
   * comes on connections that are left goes by newer plans too, as far as the engine can. Rejects when an address cannot be had, or the engine has
   * failed for good, or has ended.
   */
  apply(plan: IngressPlan): Promise<void>;
  /** Where it listens, with the ports that it was given; empty before the first plan. */
  readonly listening: readonly Listener[];
  /**
   * Takes no more connections, lets what is under way come to its end, says on each connection that it is the last answer, and ends. After so many
   * milliseconds what is left is cut. A socket that somebody else has open goes on listening. Said again it may end sooner, never later.
   */
  stop(drain: number): Promise<void>;
  /** Rejects when it can carry no more and does not mend itself; never resolves. */
  readonly failed: Promise<never>;
  /** Absent where it does not count them. */
  readonly figures?: ConnectionFigures;
  /** What it has answered without telling an access log, since it began. */
  readCounts?(): Promise<readonly EngineCount[]>;
}

/** Requests that an engine has answered. */
export interface EngineCount {
  /** `namespace/service:port`; undefined where no endpoint was asked. */
  readonly backend: string | undefined;
  /** Its class, as `2xx`. */
  readonly status: string;
  readonly requests: number;
}

/** What every engine is given. */
export interface EngineGround {
  readonly listeners: readonly Listener[];
  readonly open?: ListenerOpener;
  readonly trust: ForwardedTrust;
  /** Undefined: nobody wants to hear of each request, which spares an engine that is another program the telling. */
  readonly accessLog: AccessLog | undefined;
}
