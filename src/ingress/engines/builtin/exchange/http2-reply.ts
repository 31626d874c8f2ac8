import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { resetStream } from "../reset-stream.ts";
import type { Follows, Reply, ReplyOwner } from "./reply.ts";

const REPLY = Symbol("reply");

type Owned = ServerHttp2Stream & { [REPLY]?: Http2Reply };

function onDrain(this: Owned): void {
  this[REPLY]!.owner?.drained();
}

function onClose(this: Owned): void {
  const reply = this[REPLY]!;
  const { owner } = reply;
  reply.owner = undefined;
  owner?.closed(this.rstCode === constants.NGHTTP2_NO_ERROR && this.writableFinished && !reply.isCut);
}

function onWantTrailers(this: Owned): void {
  this[REPLY]!.giveTrailers();
}

const ignore = (): void => {};

export class Http2Reply implements Reply {
  owner: ReplyOwner | undefined;
  isCut = false;
  readonly #stream: ServerHttp2Stream;
  #trailers: OutgoingHttpHeaders = {};
  #mayTrail = false;
  /** The client is to be hung up on as soon as trailers are said. */
  #isHangingUp = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    (stream as Owned)[REPLY] = this;
    stream.on("drain", onDrain);
    stream.on("close", onClose);
    // Node's own response would give trailers too; it is not used.
    stream.removeAllListeners("wantTrailers");
    stream.on("wantTrailers", onWantTrailers);
    // What went wrong is seen at its close.
    stream.on("error", ignore);
  }

  get hasBegun(): boolean {
    return this.#stream.headersSent;
  }

  goOn(): void {
    this.#additional({ ":status": 100 });
  }

  inform(status: number, headers: IncomingHttpHeaders): void {
    this.#additional({ ...headers, ":status": status });
  }

  #additional(headers: OutgoingHttpHeaders): void {
    if (this.#isOver || this.#stream.headersSent) return;
    this.#stream.additionalHeaders(headers);
  }

  get #isOver(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  begin(status: number, headers: OutgoingHttpHeaders, follows: Follows): void {
    if (this.#isOver) return;
    headers[":status"] = status;
    this.#mayTrail = follows === "body, perhaps trailers";
    this.#stream.respond(headers, { endStream: follows === "nothing", waitForTrailers: this.#mayTrail });
  }

  write(chunk: Buffer | string): boolean {
    return this.#isOver || this.#stream.write(chunk);
  }

  end(chunk?: Buffer | string, trailers?: OutgoingHttpHeaders): void {
    if (this.#isOver) return;
    if (trailers !== undefined) this.#trailers = trailers;
    if (chunk === undefined) this.#stream.end();
    else this.#stream.end(chunk);
  }

  giveTrailers(): void {
    if (this.#isOver) return;
    this.#mayTrail = false;
    try {
      this.#stream.sendTrailers(this.#trailers);
    } catch {
      // An endpoint's trailers that HTTP/2 has no room for: the client must not take it for whole.
      this.cut();
      return;
    }
    if (this.#isHangingUp) setImmediate(() => this.hangUp());
  }

  cut(rst: number = constants.NGHTTP2_INTERNAL_ERROR): void {
    this.isCut = true;
    if (this.#stream.closed) return;
    // `close` ends the body before it resets the stream, unless trailers may follow: a client would take what it has for all of it.
    if (this.#mayTrail || !this.#stream.headersSent) resetStream(this.#stream, rst);
    else this.#stream.destroy(new Error("the answer broke off"));
  }

  hangUp(): void {
    // RFC 9113 §8.1: the answer is whole, and the rest of the request is not wanted.
    if (this.#mayTrail) this.#isHangingUp = true;
    else if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}
