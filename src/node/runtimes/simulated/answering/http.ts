import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { answerTo } from "./answer.ts";
import { plainAddress, type AnsweringContainer } from "./containers.ts";
import type { RequestLog } from "./request-log.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it. */
const { createServer } = process.getBuiltinModule("node:http");

const pairsOf = (raw: readonly string[]): [string, string][] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);

/** Answers HTTP/1 on connections whose first bytes are read and put back. */
export function httpAnswers(
  of: (socket: Socket) => AnsweringContainer | undefined,
  log: RequestLog,
  now: () => number,
): (socket: Socket) => void {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const container = of(socket);
    if (container === undefined) return void socket.destroy();
    container.underWay += 1;
    container.lastCame = now();
    response.once("close", () => {
      container.underWay -= 1;
    });
    // The whole request first: who still sends would not hear.
    request.resume();
    request.once("error", () => {});
    request.once("end", () => {
      const client = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
      const target = request.url ?? "/";
      const { status, type, body } = answerTo(container, {
        method: request.method ?? "GET",
        target,
        version: request.httpVersion,
        headers: pairsOf(request.rawHeaders),
        address: plainAddress(socket.localAddress),
        port: socket.localPort ?? 0,
        client,
      });
      log.line(container.log, `${request.method} ${target} ${status} from ${client.address}`);
      // The next request goes elsewhere.
      if (container.isDraining) response.setHeader("Connection", "close");
      response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
      response.end(request.method === "HEAD" ? undefined : body);
    });
  };
  // Who holds a connection may use it whenever it likes: closing an idle one can cross a request.
  const server = createServer({ keepAliveTimeout: 3_600_000, requestTimeout: 300_000 }, answer);
  server.on("clientError", (_, socket) => void socket.destroy());
  return (socket) => void server.emit("connection", socket);
}
