import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { Pool, type Dispatcher } from "undici";
import { hostPort } from "../../../../net/ip.ts";
import type { Clock } from "../../../../observe/clock.ts";
import { ConnectTimeout, openConnection, type Place } from "./connector.ts";
import { failureOf } from "./failure.ts";
import { hasTrailers, sendTrailing } from "./trailing.ts";
import type { Receiver, Sending, Upstream, UpstreamRequest } from "./upstream.ts";

/** How long an idle connection is kept, in milliseconds, where the endpoint does not say: shorter than what servers usually wait. */
const IDLE = 4000;
/** Bytes of a response's head. */
const LARGEST_HEAD = 256 * 1024;

const abandoned = new Error("given up");

class Http1Sending implements Sending, Dispatcher.DispatchHandler {
  #receiver: Receiver | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isPaused = false;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#controller?.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#controller?.abort(abandoned);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#receiver === undefined) controller.abort(abandoned);
    else this.#receiver.sent();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) this.#receiver?.informed(status, headers);
    else this.#receiver?.answered(status, headers, false);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receiver?.piece(chunk);
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.ended(trailers);
  }

  onRequestUpgrade(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === undefined) socket.destroy();
    else receiver.upgraded(status, headers, socket);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed(failureOf(error, this.#controller === undefined));
  }
}

/** HTTP/1.1 to an endpoint over as many connections as there are requests at one time. */
export function createHttp1Upstream(place: Place, connectTimeout: number, clock: Clock): Upstream {
  const scheme = place.tls === undefined ? "http" : "https";
  const pool = new Pool(`${scheme}://${hostPort(place.address, place.port)}`, {
    pipelining: 1,
    keepAliveTimeout: IDLE,
    maxHeaderSize: LARGEST_HEAD,
    allowH2: false,
    connect: (_, callback) => {
      const socket = openConnection(place, ["http/1.1"]);
      let isOver = false;
      const cancel = clock.after(connectTimeout, () => {
        if (isOver) return;
        isOver = true;
        socket.destroy();
        callback(new ConnectTimeout(`no connection within ${connectTimeout} ms`), null);
      });
      socket.once(place.tls === undefined ? "connect" : "secureConnect", () => {
        if (isOver) return;
        isOver = true;
        cancel();
        callback(null, socket);
      });
      socket.on("error", (error) => {
        if (isOver) return;
        isOver = true;
        cancel();
        callback(error, null);
      });
    },
  });
  // An error of a connection is told to the request that needs it.
  pool.on("connectionError", () => {});
  // The same for every request, or connections would be opened anew for each name that clients ask for.
  const servername = place.tls === undefined ? null : (place.tls.serverName ?? "endpoint");
  return {
    send(request, receiver) {
      if (hasTrailers(request)) return sendTrailing(place, connectTimeout, clock, request, receiver);
      const sending = new Http1Sending(receiver);
      pool.dispatch(optionsOf(request, servername), sending);
      return sending;
    },
    close() {
      void pool.close();
    },
    destroy() {
      void pool.destroy();
    },
  };
}

interface Options extends Dispatcher.DispatchOptions {
  /** Known to undici, though not to its types. */
  readonly servername: string | null;
}

const optionsOf = (request: UpstreamRequest, servername: string | null): Options => ({
  path: request.target,
  method: request.method,
  headers: request.headers,
  body: request.body ?? null,
  upgrade: request.upgrade ?? null,
  headersTimeout: request.timeouts.read,
  bodyTimeout: request.timeouts.read,
  servername,
});
