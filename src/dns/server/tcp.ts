import { createServer, type Socket } from "node:net";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { LONGEST_QUERY } from "../wire/query.ts";
import { listenError, type Listening, type SocketAddress } from "./address.ts";
import type { Responder } from "./respond.ts";

export interface TcpLimits {
  /** Connections at one time; further ones are closed at once. */
  readonly connections: number;
  /** Milliseconds without a whole query after which a connection is closed (RFC 7766 §6.2.3). */
  readonly idle: number;
  /** Others may listen there too. */
  readonly reusePort: boolean;
}

const LIMITS: TcpLimits = { connections: 512, idle: 10_000, reusePort: false };
/** Answers a client has not read yet, in bytes; one that lets more pile up is cut off. */
const UNREAD = 1 << 20;

/** One connection: queries with a length before each, answered in whatever order they are ready (RFC 7766 §6.2.1.1, §8). */
function serve(socket: Socket, responder: Responder, clock: Clock, idle: number): void {
  const client = socket.remoteAddress ?? "";
  let pending: Buffer = Buffer.alloc(0);
  let lastQuery = clock.now();
  let cancel: () => void;
  const watch = (): void => {
    const left = lastQuery + idle - clock.now();
    if (left <= 0) socket.destroy();
    else cancel = clock.after(left, watch);
  };
  cancel = clock.after(idle, watch);
  socket.on("close", () => cancel());
  socket.on("error", () => socket.destroy());

  const send = (reply: Buffer): void => {
    if (!socket.writable) return;
    const framed = Buffer.allocUnsafe(reply.length + 2);
    framed.writeUInt16BE(reply.length, 0);
    framed.set(reply, 2);
    socket.write(framed);
    if (socket.writableLength > UNREAD) socket.destroy();
  };

  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= 2) {
      const length = pending.readUInt16BE(at);
      if (length === 0 || length > LONGEST_QUERY) {
        socket.destroy();
        return;
      }
      if (pending.length - at - 2 < length) break;
      const packet = pending.subarray(at + 2, at + 2 + length);
      at += 2 + length;
      lastQuery = clock.now();
      const reply = responder.respond(packet, "tcp", client);
      if (Buffer.isBuffer(reply)) send(reply);
      else if (reply !== undefined) void reply.then((bytes) => bytes !== undefined && send(bytes));
      if (socket.destroyed) return;
    }
    pending = pending.subarray(at);
  });
}

/** Answers DNS over TCP on one address. Rejects when the address cannot be taken. */
export async function listenTcp(
  responder: Responder,
  at: SocketAddress,
  clock: Clock,
  log: Log,
  given: Partial<TcpLimits> = {},
): Promise<Listening> {
  const limits = { ...LIMITS, ...given };
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serve(socket, responder, clock, limits.idle);
  });
  server.maxConnections = limits.connections;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(listenError("TCP", at, error));
    server.once("error", fail);
    server.listen(
      { port: at.port, host: at.address, ipv6Only: at.address.includes(":"), reusePort: limits.reusePort },
      () => {
        server.off("error", fail);
        resolve();
      },
    );
  });
  server.on("error", (error) => log.warn({ err: error }, "the DNS server could not take a TCP connection"));
  const bound = server.address();
  return {
    address: at.address,
    port: typeof bound === "object" && bound !== null ? bound.port : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
