import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { IngressPlan } from "../../plan/plan.ts";

/** How a connection came, for all of its requests. */
export interface Arrival {
  /** Address of the client: the connection's, or what PROXY protocol says. */
  readonly client: string;
  readonly clientPort: number;
  readonly tls: boolean;
  /** As in SNI, lower case; undefined without. */
  readonly serverName: string | undefined;
  /** The port that it came to. */
  readonly port: number;
}

/** What is done with requests, whatever they came by. Never throws: a fault is an answer, or the end of the connection. */
export interface Handler {
  /**
   * One request. `Expect: 100-continue` is the handler's to answer, when there is somebody who takes the body: servers pass `checkContinue` on as they
   * pass `request`.
   */
  request(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    arrival: Arrival,
  ): void;
  /** HTTP/1.1 Upgrade: from here on the socket is the handler's. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): void;
  /** Extended CONNECT of HTTP/2 (RFC 8441): a WebSocket in a stream. */
  connect(stream: ServerHttp2Stream, headers: IncomingMessage["headers"], arrival: Arrival): void;
  /** Requests that begin from now on go by this plan. */
  follow(plan: IngressPlan): void;
  /** Requests and tunnels that are under way. */
  readonly underWay: number;
  /** Each answer from now on is the last of its connection (`connection: close`). */
  drain(): void;
  /** Ends what is under way, and every connection to endpoints. */
  close(): Promise<void>;
}
