import type { IngressName } from "./plan/plan.ts";

/** One request that has ended, whoever carried it. */
export interface Exchange {
  /** Milliseconds since the epoch at its beginning. */
  readonly at: number;
  /** Seconds to its end. */
  readonly duration: number;
  readonly client: string;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2.0";
  readonly tls: boolean;
  readonly method: string;
  readonly host: string;
  /** With its query. */
  readonly target: string;
  /** 499 where the client went before there was one. */
  readonly status: number;
  /** Of bodies. */
  readonly received: number;
  readonly sent: number;
  readonly userAgent: string | undefined;
  readonly referer: string | undefined;
  readonly requestId: string;
  /** Undefined where no route matched. */
  readonly route: { readonly ingress: IngressName; readonly host: string; readonly path: string } | undefined;
  /** Undefined where no endpoint was asked. */
  readonly backend: ExchangeBackend | undefined;
}

export interface ExchangeBackend {
  /** `namespace/service:port`. */
  readonly id: string;
  /** `address:port` of the last endpoint that was asked. */
  readonly endpoint: string;
  /** Seconds from asking it to its first byte. */
  readonly latency: number;
  readonly tries: number;
}

/** Hears of each request that has ended. Never throws and never waits. */
export type AccessLog = (exchange: Exchange) => void;
