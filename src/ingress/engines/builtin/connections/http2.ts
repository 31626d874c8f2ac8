import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { fault } from "../strict/fault.ts";
import { http2Fault } from "../strict/http2.ts";
import { attach, connectionOf, type Connection } from "./connection.ts";
import type { HttpGround } from "./http1.ts";

export interface Http2 {
  serve(connection: Connection): void;
}

/** Speaks HTTP/2 with clients. What its own rules forbid, nghttp2 refuses (RFC 9113 §8); the rest is looked at here. */
export function createHttp2(ground: HttpGround): Http2 {
  const { handler, limits } = ground;
  let beginning: Connection | undefined;
  const server: Http2Server = createServer({
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headSize,
      initialWindowSize: limits.window >> 2,
    },
    maxHeaderListPairs: limits.headerCount,
  });

  server.on("session", (session: ServerHttp2Session) => {
    const connection = beginning;
    if (connection === undefined) {
      session.destroy();
      return;
    }
    connection.session = session;
    attach(session, connection);
    session.setLocalWindowSize(limits.window);
    session.on("error", () => session.destroy());
    session.setTimeout(limits.idle, () => {
      if (connection.streams.size === 0) session.close();
    });
  });

  /** The connection of a request that may be passed on. */
  const admit = ({ stream, headers, rawHeaders }: Http2ServerRequest): Connection | undefined => {
    const connection = stream.session === undefined ? undefined : connectionOf(stream.session);
    if (connection === undefined) {
      stream.close(constants.NGHTTP2_CANCEL);
      return undefined;
    }
    connection.streams.add(stream);
    stream.once("close", () => connection.streams.delete(stream));
    // It began while we were being stopped; one that it brought is answered.
    if (ground.isDraining()) connection.session?.close();
    const found = http2Fault(headers, rawHeaders, limits.headSize);
    if (found === undefined) return connection;
    ground.refused(found.why, connection);
    answer(stream, found.status);
    return undefined;
  };

  const handle = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const connection = admit(request);
    if (connection !== undefined) handler.request(request, response, connection.arrival);
  };
  server.on("request", handle);
  // The handler says when the body may come.
  server.on("checkContinue", handle);
  server.on("checkExpectation", (request: Http2ServerRequest) => {
    if (admit(request) !== undefined)
      answer(request.stream, fault(417, "an expectation other than 100-continue").status);
  });
  server.on("connect", (request: Http2ServerRequest) => {
    const connection = admit(request);
    if (connection !== undefined) handler.connect(request.stream, request.headers, connection.arrival);
  });

  return {
    serve(connection) {
      connection.stage = "http2";
      connection.deadline = Infinity;
      // A client that has left is not waited for, as it would be over HTTP/1 for its answer.
      connection.socket.allowHalfOpen = false;
      connection.raw.allowHalfOpen = false;
      beginning = connection;
      server.emit("connection", connection.socket);
      beginning = undefined;
    },
  };
}

/** An answer of ours; a body that still comes is not waited for (RFC 9113 §8.1). */
function answer(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.on("error", () => {});
  stream.respond({ ":status": status }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}
