import type { Http2Session, ServerHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { answerTo } from "./answer.ts";
import { plainAddress, type AnsweringContainer } from "./containers.ts";
import type { RequestLog } from "./request-log.ts";

/** `grpc.health.v1.HealthCheckResponse` with SERVING, framed: not compressed, two bytes long. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);
const UNIMPLEMENTED = "12";

/** HTTP/2 with prior knowledge: gRPC's health check, and what HTTP/1 is answered. Loaded when the first such connection comes. */
export async function http2Answers(
  of: (socket: Socket) => AnsweringContainer | undefined,
  log: RequestLog,
  now: () => number,
): Promise<(socket: Socket) => void> {
  const { createServer } = await import("node:http2");

  const answerGrpc = (stream: ServerHttp2Stream, path: string): void => {
    const head = { ":status": 200, "content-type": "application/grpc" };
    if (path !== "/grpc.health.v1.Health/Check") {
      const message = encodeURIComponent(`this pod is simulated and has no method ${path}`);
      stream.respond({ ...head, "grpc-status": UNIMPLEMENTED, "grpc-message": message }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(SERVING);
  };

  const answer = (socket: Socket, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): void => {
    const container = of(socket);
    if (container === undefined) return stream.close();
    container.underWay += 1;
    container.lastCame = now();
    stream.once("close", () => {
      container.underWay -= 1;
    });
    stream.on("error", () => {});
    stream.resume();
    stream.once("end", () => {
      if (stream.destroyed) return;
      const path = headers[":path"] ?? "/";
      const client = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
      log.line(container.log, `${headers[":method"]} ${path} HTTP/2 from ${client.address}`);
      if (headers["content-type"]?.startsWith("application/grpc") === true) return answerGrpc(stream, path);
      const { status, type, body } = answerTo(container, {
        method: headers[":method"] ?? "GET",
        target: path,
        version: "2.0",
        headers: Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2]!, raw[at * 2 + 1]!] as const).filter(
          ([name]) => !name.startsWith(":"),
        ),
        address: plainAddress(socket.localAddress),
        port: socket.localPort ?? 0,
        client,
      });
      stream.respond({ ":status": status, "content-type": type }, { endStream: headers[":method"] === "HEAD" });
      if (headers[":method"] !== "HEAD") stream.end(body);
    });
  };

  const server = createServer();
  const sockets = new WeakMap<Http2Session, Socket>();
  let arriving: Socket | undefined;
  server.on("sessionError", () => {});
  server.on("session", (session: Http2Session) => {
    // Emitted while the connection is handed over, in the same turn.
    if (arriving !== undefined) sockets.set(session, arriving);
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    const { session } = stream;
    const socket = session === undefined ? undefined : sockets.get(session);
    if (session === undefined || socket === undefined) return stream.close();
    answer(socket, stream, headers, raw);
    // It ends its streams and takes no new ones: the client goes elsewhere.
    if (of(socket)?.isDraining === true && !session.closed) session.close();
  });
  return (socket) => {
    arriving = socket;
    server.emit("connection", socket);
    arriving = undefined;
  };
}
