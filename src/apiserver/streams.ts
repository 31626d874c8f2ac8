import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";

/** A request to the node endpoint that runs a pod: kubelet's paths, e.g. `/containerLogs/NS/POD/CONTAINER?follow=true`. */
export interface NodeRequest {
  readonly nodeName: string;
  readonly path: string;
}

/** What the node endpoint answered; `body` is still running. */
export interface NodeAnswer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** The API server's only way to nodes and their pods. */
export interface Streams {
  /** GETs a path of the node endpoint. Throws ApiError when the node cannot be reached. */
  log(request: NodeRequest, signal: AbortSignal): Promise<NodeAnswer>;
  /**
   * Hands a client's connection, whose upgrade request has been read, to the node endpoint and passes bytes both ways until either
   * ends. Answers on the socket itself when the node refuses or cannot be reached.
   */
  upgrade(request: NodeRequest, client: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** A connection to a port of a pod, through the node endpoint's `/dial/…`. Throws ApiError ServiceUnavailable. */
  dial(request: NodeRequest): Promise<Duplex>;
}
