import { request as ask, type ClientRequest, type IncomingMessage } from "node:http";
import type { Clock } from "../../../../observe/clock.ts";
import { ConnectTimeout, openConnection, type Place } from "./connector.ts";
import { failureOf } from "./failure.ts";
import type { Receiver, Sending, UpstreamRequest } from "./upstream.ts";

class Silence extends Error {
  readonly code = "ETIMEDOUT";
}

/** Whether a request says that trailers follow its body. They are rare, and undici cannot send any. */
export const hasTrailers = ({ headers, trailers, body }: UpstreamRequest): boolean =>
  headers["trailer"] !== undefined && trailers !== undefined && body !== undefined;

/** A request of HTTP/1.1 with trailers, on a connection of its own. */
export function sendTrailing(
  place: Place,
  connectTimeout: number,
  clock: Clock,
  { method, target, headers, body, trailers, timeouts }: UpstreamRequest,
  receiver: Receiver,
): Sending {
  return new TrailingSending(
    ask({
      method,
      path: target,
      headers: { ...headers, connection: "close", "transfer-encoding": "chunked" },
      createConnection: () => openConnection(place, ["http/1.1"]),
      timeout: timeouts.read,
      maxHeaderSize: 256 * 1024,
    }),
    receiver,
    (sending, asked) => {
      const cancel = clock.after(connectTimeout, () =>
        asked.destroy(new ConnectTimeout(`no connection within ${connectTimeout} ms`)),
      );
      asked.on("close", cancel);
      asked.on("socket", (socket) => {
        socket.once(place.tls === undefined ? "connect" : "secureConnect", () => {
          cancel();
          sending.connected();
        });
      });
      asked.on("timeout", () => {
        if (!sending.isPaused) asked.destroy(new Silence(`nothing was heard for ${timeouts.read} ms`));
      });
      asked.on("drain", () => body!.resume());
      body!.on("data", (chunk: Buffer) => {
        if (!asked.write(chunk)) body!.pause();
      });
      body!.on("end", () => {
        try {
          asked.addTrailers(trailers!() ?? {});
          asked.end();
        } catch (error) {
          asked.destroy(error as Error);
        }
      });
      asked.on("close", () => body!.destroy());
    },
  );
}

class TrailingSending implements Sending {
  #receiver: Receiver | undefined;
  readonly #asked: ClientRequest;
  #response: IncomingMessage | undefined;
  #isSent = false;
  isPaused = false;

  constructor(
    asked: ClientRequest,
    receiver: Receiver,
    wire: (sending: TrailingSending, asked: ClientRequest) => void,
  ) {
    this.#asked = asked;
    this.#receiver = receiver;
    wire(this, asked);
    asked.on("information", ({ statusCode, headers }) => {
      if (statusCode !== 100) this.#receiver?.informed(statusCode, headers);
    });
    asked.on("response", (response) => this.#answered(response));
    asked.on("error", (error) => this.#failed(error));
  }

  connected(): void {
    this.#isSent = true;
    this.#receiver?.sent();
  }

  pause(): void {
    this.isPaused = true;
    this.#response?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.#response?.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#asked.destroy();
  }

  #answered(response: IncomingMessage): void {
    this.#response = response;
    response.on("data", (chunk: Buffer) => this.#receiver?.piece(chunk));
    response.on("error", (error) => this.#failed(error));
    response.on("end", () => {
      const receiver = this.#receiver;
      this.#receiver = undefined;
      this.#asked.destroy();
      receiver?.ended(response.trailers);
    });
    this.#receiver?.answered(response.statusCode ?? 502, response.headers, false);
  }

  #failed(error: Error): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed(failureOf(error, !this.#isSent));
  }
}
