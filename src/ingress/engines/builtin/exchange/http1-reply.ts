import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Reply, ReplyOwner } from "./reply.ts";
import { sever } from "./sever.ts";

const REPLY = Symbol("reply");

type Owned = ServerResponse & { [REPLY]?: Http1Reply };

// One function for all, so that a request makes none.
function onDrain(this: Owned): void {
  this[REPLY]!.owner?.drained();
}

function onClose(this: Owned): void {
  const reply = this[REPLY]!;
  const { owner } = reply;
  reply.owner = undefined;
  owner?.closed(this.writableFinished && !reply.isCut);
}

const ignore = (): void => {};

const flush = (reply: Http1Reply): void => reply.flush();

export class Http1Reply implements Reply {
  owner: ReplyOwner | undefined;
  isCut = false;
  readonly #response: ServerResponse;
  #hasBody = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    (response as Owned)[REPLY] = this;
    response.on("close", onClose);
    response.on("error", ignore);
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  goOn(): void {
    if (!this.#response.destroyed) this.#response.writeContinue();
  }

  inform(status: number, headers: IncomingHttpHeaders): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent || response.req.httpVersionMinor === 0) return;
    if (status === 102) response.writeProcessing();
    else if (status === 103 && headers["link"] !== undefined) {
      response.writeEarlyHints(headers as Record<string, string | string[]>);
    }
  }

  begin(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers);
    // Node sends a head with the first of the body. Where that does not come along with it, as of events, the head goes alone.
    process.nextTick(flush, this);
  }

  flush(): void {
    if (!this.#hasBody && !this.#response.destroyed) this.#response.flushHeaders();
  }

  write(chunk: Buffer | string): boolean {
    const response = this.#response;
    this.#hasBody = true;
    if (response.destroyed || response.write(chunk)) return true;
    if (response.listenerCount("drain") === 0) response.on("drain", onDrain);
    return false;
  }

  end(chunk?: Buffer | string, trailers?: OutgoingHttpHeaders): void {
    const response = this.#response;
    this.#hasBody = true;
    if (response.destroyed) return;
    if (trailers !== undefined && response.chunkedEncoding) {
      try {
        response.addTrailers(trailers);
      } catch {
        // An endpoint's trailers that cannot be said: the client must not take it for whole.
        this.cut();
        return;
      }
    }
    if (chunk === undefined) response.end();
    else response.end(chunk);
  }

  cut(): void {
    this.isCut = true;
    const { socket } = this.#response;
    if (socket === null) this.#response.destroy();
    else sever(socket);
  }

  hangUp(): void {
    this.#response.req.socket.destroy();
  }
}
