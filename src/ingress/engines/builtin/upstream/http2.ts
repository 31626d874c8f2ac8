import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import { hostPort } from "../../../../net/ip.ts";
import type { Clock } from "../../../../observe/clock.ts";
import { resetStream } from "../reset-stream.ts";
import { ConnectTimeout, openConnection, type Place } from "./connector.ts";
import { failureOf } from "./failure.ts";
import type { Receiver, Sending, Upstream, UpstreamRequest } from "./upstream.ts";

/** Streams of one connection until the endpoint says how many it takes (RFC 9113 §6.5.2 recommends no fewer). */
const USUAL_STREAMS = 100;
/** Connections to one endpoint; what is beyond the streams of all of them waits for one. */
const MOST_SESSIONS = 16;
/** Bytes that an endpoint may send ahead, of a stream and of all: a slow client holds up its own stream only. */
const STREAM_WINDOW = 256 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;

const { NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM } = constants;

/** One connection to an endpoint. */
interface Session {
  readonly http2: ClientHttp2Session;
  streams: number;
  isConnected: boolean;
  /** It takes no more: the endpoint has said so, or it does not answer. */
  isLeaving: boolean;
  /** Of the streams that the endpoint has seen, where it is leaving. */
  lastStream: number;
}

class StreamReset extends Error {
  readonly code: string;

  constructor(rst: number) {
    super(`the endpoint has reset the stream with code ${rst}`);
    this.code = "ERR_HTTP2_STREAM_RESET";
  }
}

class Silence extends Error {
  readonly code = "ETIMEDOUT";
}

class Http2Sending implements Sending {
  #receiver: Receiver | undefined;
  readonly #session: Session;
  readonly #stream: ClientHttp2Stream;
  #trailers: IncomingHttpHeaders | undefined;
  #error: Error | undefined;
  #isPaused = false;

  constructor(session: Session, request: UpstreamRequest, secure: boolean, receiver: Receiver) {
    this.#session = session;
    this.#receiver = receiver;
    const { body, trailers, timeouts } = request;
    const stream = session.http2.request(headersOf(request, secure), {
      endStream: body === undefined,
      // Also so that a body that breaks off is not ended first: the endpoint would take what it has for all of it.
      waitForTrailers: body !== undefined,
    });
    this.#stream = stream;
    session.streams += 1;
    if (stream.pending) stream.once("ready", () => this.#receiver?.sent());
    else receiver.sent();
    stream.on("headers", (headers) => {
      const status = Number(headers[":status"]);
      if (status !== 100) this.#receiver?.informed(status, headers);
    });
    stream.on("response", (headers, flags) => {
      const isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
      this.#receiver?.answered(Number(headers[":status"]), headers, isWhole);
    });
    stream.on("data", (chunk: Buffer) => this.#receiver?.piece(chunk));
    stream.on("trailers", (given) => {
      this.#trailers = given;
    });
    stream.on("end", () => this.#ended());
    stream.on("error", (error) => {
      this.#error = error;
    });
    stream.on("close", () => this.#closed());
    if (body !== undefined) {
      stream.on("wantTrailers", () => {
        try {
          stream.sendTrailers(trailers?.() ?? {});
        } catch (error) {
          // A client's trailers that HTTP/2 has no room for.
          stream.destroy(error as Error);
        }
      });
    }
    if (body !== undefined) pour(body, stream);
    if (timeouts.read > 0) this.#watch(timeouts.read);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    resetStream(this.#stream, NGHTTP2_CANCEL);
  }

  #watch(silence: number): void {
    this.#stream.setTimeout(silence, () => {
      if (this.#isPaused) this.#stream.setTimeout(silence);
      else {
        // An endpoint that has gone without a word would swallow the next ones too.
        leave(this.#session);
        this.#error = new Silence(`nothing was heard for ${silence} ms`);
        resetStream(this.#stream, NGHTTP2_CANCEL);
      }
    });
  }

  #ended(): void {
    // A reset ends what can be read as well.
    if (this.#error !== undefined || (this.#stream.rstCode ?? NGHTTP2_NO_ERROR) !== NGHTTP2_NO_ERROR) return;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === undefined) return;
    if (!this.#stream.writableEnded) resetStream(this.#stream, NGHTTP2_CANCEL);
    receiver.ended(this.#trailers);
  }

  #closed(): void {
    const session = this.#session;
    session.streams -= 1;
    if (session.isLeaving && session.streams === 0) session.http2.close();
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === undefined) return;
    const { rstCode, id } = this.#stream;
    const isUnseen =
      id === undefined || !session.isConnected || rstCode === NGHTTP2_REFUSED_STREAM || id > session.lastStream;
    const error = this.#error ?? new StreamReset(rstCode ?? NGHTTP2_NO_ERROR);
    const failure = failureOf(error, isUnseen);
    receiver.failed(rstCode === undefined || rstCode === NGHTTP2_NO_ERROR ? failure : { ...failure, rst: rstCode });
  }
}

/** No more streams on it; it ends with the last one. */
function leave(session: Session): void {
  session.isLeaving = true;
  if (session.streams === 0) session.http2.close();
}

function pour(body: Readable, stream: ClientHttp2Stream): void {
  body.on("data", (chunk: Buffer) => {
    if (!stream.write(chunk)) body.pause();
  });
  stream.on("drain", () => body.resume());
  body.on("end", () => stream.end());
  stream.on("close", () => body.destroy());
}

function headersOf({ method, target, headers }: UpstreamRequest, secure: boolean): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = {
    ":method": method,
    ":path": target,
    ":scheme": secure ? "https" : "http",
    ":authority": headers["host"],
  };
  for (const name in headers) if (name !== "host") all[name] = headers[name];
  return all;
}

/** HTTP/2 to an endpoint, over one connection or a few. */
export function createHttp2Upstream(place: Place, connectTimeout: number, clock: Clock): Upstream {
  const sessions: Session[] = [];
  const isSecure = place.tls !== undefined;
  const authority = `${isSecure ? "https" : "http"}://${hostPort(place.address, place.port)}`;

  const open = (): Session => {
    const http2 = connect(authority, {
      createConnection: () => openConnection(place, ["h2"]),
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    const session: Session = {
      http2,
      streams: 0,
      isConnected: false,
      isLeaving: false,
      lastStream: Number.POSITIVE_INFINITY,
    };
    const cancel = clock.after(connectTimeout, () => {
      http2.destroy(new ConnectTimeout(`no connection within ${connectTimeout} ms`));
    });
    http2.once("connect", () => {
      cancel();
      session.isConnected = true;
      http2.setLocalWindowSize(SESSION_WINDOW);
    });
    http2.on("goaway", (_, lastStream) => {
      session.isLeaving = true;
      // A first word of leaving has the highest number that there is.
      if (lastStream >= 0) session.lastStream = lastStream;
    });
    // Its streams are told.
    http2.on("error", () => {});
    http2.on("close", () => {
      cancel();
      session.isLeaving = true;
      const at = sessions.indexOf(session);
      if (at >= 0) sessions.splice(at, 1);
    });
    sessions.push(session);
    return session;
  };

  const free = (session: Session): number =>
    (session.isConnected ? (session.http2.remoteSettings.maxConcurrentStreams ?? USUAL_STREAMS) : USUAL_STREAMS) -
    session.streams;

  const choose = (): Session => {
    let best: Session | undefined;
    for (const session of sessions) {
      if (session.isLeaving || session.http2.closed || session.http2.destroyed) continue;
      if (best === undefined || free(session) > free(best)) best = session;
    }
    if (best !== undefined && (free(best) > 0 || sessions.length >= MOST_SESSIONS)) return best;
    return open();
  };

  return {
    send(request, receiver) {
      return new Http2Sending(choose(), request, isSecure, receiver);
    },
    close() {
      for (const session of sessions.slice()) leave(session);
    },
    destroy() {
      for (const session of sessions.slice()) session.http2.destroy();
    },
  };
}
