import type { ServerResponse } from "node:http";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Listener } from "../../../engine.ts";
import type { Arrival } from "../handler.ts";

/** One connection of a client, from its being taken to its end. */
export interface Connection {
  readonly listener: Listener;
  /** As it was taken. */
  readonly raw: Socket;
  /** What HTTP is spoken over: the same, or TLS on it. */
  socket: Socket;
  arrival: Arrival;
  /**
   * `opening`: what comes before HTTP, with nothing of HTTP seen. `tunnel`: bytes go through as they are. `ending`: our last byte is sent or
   * about to be, and requests that still come are passed over.
   */
  stage: "opening" | "http1" | "http2" | "tunnel" | "ending";
  /** When it is cut unless it has come further; infinite where nothing is waited for. */
  deadline: number;
  /** Of HTTP/1: the newest; earlier ones are sent before it, so when it has ended, all have. */
  answer: ServerResponse | undefined;
  /** Answers before the newest that had not ended when the next request came. */
  pipelined: number;
  session: Http2Session | undefined;
  readonly streams: Set<ServerHttp2Stream>;
  /** What is waited for from the client, and how far it was when it was last looked at. */
  readonly progress: { bytes: number; since: number; of: "nothing" | "body" | "rest" };
}

const CONNECTION = Symbol("connection");

type Carrier = object & { [CONNECTION]?: Connection };

/** Makes a connection be found from what Node hands to its callbacks. */
export function attach(carrier: object, connection: Connection): void {
  (carrier as Carrier)[CONNECTION] = connection;
}

export const connectionOf = (carrier: object): Connection | undefined => (carrier as Carrier)[CONNECTION];

/** Whether an answer of HTTP/1 is still to come, or to be sent to its end. */
export const isAnswering = ({ answer }: Connection): boolean =>
  answer !== undefined && !answer.writableFinished && !answer.destroyed;
