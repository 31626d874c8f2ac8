import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type { Timeouts } from "../../../settings/settings.ts";

/** One request as it is sent to an endpoint. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  /** Without those that are of one connection; `host` is what is sent as Host or `:authority`. */
  readonly headers: OutgoingHttpHeaders;
  /** Undefined: it has none. */
  readonly body: Readable | undefined;
  /** What follows the body; asked when it has ended. */
  readonly trailers?: () => OutgoingHttpHeaders | undefined;
  /** The protocol that the connection is to be changed to. */
  readonly upgrade: string | undefined;
  readonly timeouts: Timeouts;
}

export interface UpstreamFailure {
  readonly reason: "error" | "timeout" | "invalid_header";
  /** Trying it again, here or elsewhere, would come to the same. */
  readonly isFinal: boolean;
  /** The endpoint has certainly not acted on it. */
  readonly isUnseen: boolean;
  readonly error: Error;
  /** The code of HTTP/2 that the endpoint has ended its stream with. */
  readonly rst?: number;
}

/** Hears what becomes of a request. After `ended`, `failed` and `upgraded` nothing is told any more. */
export interface Receiver {
  /** There is a connection, and the request goes out on it. */
  sent(): void;
  /** 1xx. */
  informed(status: number, headers: IncomingHttpHeaders): void;
  /** @param isWhole no body and no trailers follow */
  answered(status: number, headers: IncomingHttpHeaders, isWhole: boolean): void;
  piece(chunk: Buffer): void;
  ended(trailers: IncomingHttpHeaders | undefined): void;
  failed(failure: UpstreamFailure): void;
  upgraded(status: number, headers: IncomingHttpHeaders, socket: Duplex): void;
}

/** A request under way. */
export interface Sending {
  /** Holds the pieces of the answer back, down to the endpoint's socket. */
  pause(): void;
  resume(): void;
  /** Gives it up; nothing is told any more. */
  abort(): void;
}

/** An endpoint, spoken to in one way. */
export interface Upstream {
  send(request: UpstreamRequest, receiver: Receiver): Sending;
  /** Lets what is under way come to its end. */
  close(): void;
  /** Ends what is under way. */
  destroy(): void;
}
