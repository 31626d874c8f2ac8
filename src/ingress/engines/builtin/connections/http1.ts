import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../../../../observe/clock.ts";
import type { Handler } from "../handler.ts";
import type { ConnectionLimits } from "../limits.ts";
import { fault, type HeadFault } from "../strict/fault.ts";
import { http1Fault } from "../strict/http1.ts";
import { connectionOf, isAnswering, type Connection } from "./connection.ts";
import { lastAnswer, sayGoodbye } from "./end.ts";

export interface HttpGround {
  readonly handler: Handler;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  /** From now on each answer is the last of its connection. */
  readonly isDraining: () => boolean;
  refused(why: string, connection: Connection): void;
}

export interface Http1 {
  serve(connection: Connection): void;
  close(): void;
}

/** What the parser says of requests that it takes for none. */
const statusOf = (code: string | undefined): HeadFault["status"] =>
  code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;

/** A change of protocol is the backend's to take; h2c is offered by clients that know of no TLS, and nobody needs it (RFC 9113 §3.1). */
function mayUpgrade({ headers }: IncomingMessage): boolean {
  const { upgrade = "", "content-length": length = "0", "transfer-encoding": coding } = headers;
  return length === "0" && coding === undefined && !/(?:^|,)\s*h2c?\s*(?:,|$)/i.test(upgrade);
}

/** Speaks HTTP/1 with clients: requests that are as they must be go to the handler, and the others end their connection. */
export function createHttp1(ground: HttpGround): Http1 {
  const { handler, clock, limits } = ground;
  const server: Server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: limits.headSize,
    headersTimeout: limits.head,
    // Bodies are as long as they are; that they come at all is looked after elsewhere.
    requestTimeout: 0,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: limits.sweep,
    requireHostHeader: false,
    shouldUpgradeCallback: mayUpgrade,
  });
  // Beyond a number Node would leave headers out and say nothing; we count them ourselves.
  server.maxHeadersCount = 0;
  // Connections are handed in, so nobody else says that the watch over slow heads begins.
  server.emit("listening");

  /** Ends a connection with an answer of ours, after those that are due before it. */
  const refuse = (connection: Connection, { status, why }: HeadFault, before: ServerResponse | undefined): void => {
    ground.refused(why, connection);
    connection.stage = "ending";
    const end = (): void => sayGoodbye(connection, lastAnswer(status), clock, limits.linger);
    if (before === undefined || before.writableFinished || before.destroyed) end();
    else before.once("close", end);
  };

  /** The connection of a request that may be passed on. */
  const admit = (request: IncomingMessage): Connection | undefined => {
    const connection = connectionOf(request.socket);
    if (connection === undefined || connection.stage !== "http1") {
      request.resume();
      return undefined;
    }
    let found = http1Fault(request, limits.headerCount);
    const before = connection.answer;
    if (isAnswering(connection)) {
      connection.pipelined += 1;
      if (connection.pipelined > limits.pipelined) found ??= fault(400, "too many requests before their answers");
    } else connection.pipelined = 0;
    if (found === undefined) return connection;
    request.resume();
    refuse(connection, found, before);
    return undefined;
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = admit(request);
    if (connection === undefined) return;
    connection.answer = response;
    if (ground.isDraining()) response.shouldKeepAlive = false;
    handler.request(request, response, connection.arrival);
  };
  server.on("request", handle);
  // The handler says when the body may come.
  server.on("checkContinue", handle);
  server.on("checkExpectation", (request: IncomingMessage) => {
    const connection = admit(request);
    if (connection === undefined) return;
    request.resume();
    refuse(connection, fault(417, "an expectation other than 100-continue"), connection.answer);
  });
  server.on("upgrade", (request, socket, head) => {
    const connection = admit(request);
    if (connection === undefined) return;
    // Its answer would overtake theirs.
    if (isAnswering(connection))
      return refuse(connection, fault(400, "an upgrade before earlier answers"), connection.answer);
    connection.stage = "tunnel";
    handler.upgrade(request, socket, head, connection.arrival);
  });
  server.on("connect", (request) => {
    const connection = admit(request);
    if (connection !== undefined) refuse(connection, fault(405, "CONNECT"), connection.answer);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const connection = connectionOf(socket);
    if (connection === undefined || !socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    if (connection.stage !== "http1") return;
    const bad = fault(statusOf(error.code), error.message);
    const { answer } = connection;
    if (answer === undefined || !isAnswering(connection) || answer.req.complete) return refuse(connection, bad, answer);
    // In the middle of a body: the handler must hear of it at once, by the end of the connection.
    ground.refused(bad.why, connection);
    connection.stage = "ending";
    if (!answer.headersSent) (socket as Socket).write(lastAnswer(bad.status), "latin1");
    (socket as Socket).destroySoon();
  });

  return {
    serve(connection) {
      connection.stage = "http1";
      connection.deadline = Infinity;
      server.emit("connection", connection.socket);
      // What was read of it before is given back, and waits.
      connection.socket.resume();
    },
    close: () => void server.close(),
  };
}
