import { createServer, type Socket } from "node:net";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { LONGEST_QUERY } from "../wire/query.ts";
import { listenError, type Listening, type Opening, type SocketAddress } from "./address.ts";
import { createConnections, type Connections } from "./connections.ts";
import type { Peer } from "./asked.ts";
import type { Responder } from "./respond.ts";

export interface TcpLimits {
  /** Connections at one time; beyond it the one that has been silent for the longest is closed. */
  readonly connections: number;
  /** The same for one address. */
  readonly ofOneClient: number;
  /** Queries of one connection that wait for their answers; it is not read further while there are so many. */
  readonly underWay: number;
  /** Milliseconds without a whole query after which a connection is closed (RFC 7766 §6.2.3). */
  readonly idle: number;
}

const LIMITS: TcpLimits = { connections: 4096, ofOneClient: 256, underWay: 100, idle: 10_000 };
/** Connections that wait to be taken, if the kernel's limit allows; a client beyond it tries again only after a second. */
const BACKLOG = 4096;
/** Answers a client has not read yet, in bytes; one that lets more pile up is cut off. */
const UNREAD = 1 << 20;

interface Connection {
  close(): void;
}

/** One connection: queries with a length before each, answered in whatever order they are ready (RFC 7766 §6.2.1.1, §8). */
function serve(
  socket: Socket,
  responder: Responder,
  clock: Clock,
  limits: TcpLimits,
  connections: Connections<Connection>,
): void {
  const { idle } = limits;
  const peer: Peer = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  const local = socket.localAddress ?? "";
  const connection: Connection = {
    close() {
      connections.remove(peer.address, connection);
      socket.destroy();
    },
  };
  let pending: Buffer = Buffer.alloc(0);
  let underWay = 0;
  let hasEnded = false;
  let lastQuery = clock.now();
  let cancel: () => void;
  const watch = (): void => {
    const left = lastQuery + idle - clock.now();
    if (left <= 0) socket.destroy();
    else cancel = clock.after(left, watch);
  };
  cancel = clock.after(idle, watch);
  socket.on("close", () => {
    cancel();
    connections.remove(peer.address, connection);
  });
  socket.on("error", () => socket.destroy());
  connections.add(peer.address, connection);

  const send = (reply: Buffer): void => {
    if (!socket.writable) return;
    const framed = Buffer.allocUnsafe(reply.length + 2);
    framed.writeUInt16BE(reply.length, 0);
    framed.set(reply, 2);
    socket.write(framed);
    if (socket.writableLength > UNREAD) socket.destroy();
  };

  /** Answers the whole queries that have come in, as many as may be under way. */
  const take = (): void => {
    let at = 0;
    while (pending.length - at >= 2 && underWay < limits.underWay) {
      const length = pending.readUInt16BE(at);
      if (length === 0 || length > LONGEST_QUERY) {
        socket.destroy();
        return;
      }
      if (pending.length - at - 2 < length) break;
      const packet = pending.subarray(at + 2, at + 2 + length);
      at += 2 + length;
      lastQuery = clock.now();
      connections.spoke(peer.address, connection);
      const reply = responder.respond(packet, "tcp", peer, local);
      if (Buffer.isBuffer(reply)) send(reply);
      else if (reply !== undefined) {
        underWay += 1;
        void reply.then(answered);
      }
      if (socket.destroyed) return;
    }
    pending = pending.subarray(at);
    if (underWay >= limits.underWay) socket.pause();
  };

  const answered = (reply: Buffer): void => {
    const wasFull = underWay >= limits.underWay;
    underWay -= 1;
    send(reply);
    if (wasFull && !socket.destroyed) {
      socket.resume();
      take();
    }
    if (hasEnded && underWay === 0) socket.end();
  };

  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    take();
  });
  // A client that asks no more may still wait for what it asked (RFC 7766 §6.2.4).
  socket.on("end", () => {
    hasEnded = true;
    if (underWay === 0) socket.end();
  });
}

/** Answers DNS over TCP on one address. Rejects when the address cannot be taken. */
export async function listenTcp(
  responder: Responder,
  at: SocketAddress,
  clock: Clock,
  log: Log,
  given: Partial<TcpLimits> = {},
  { reusePort = false, openSocket }: Opening = {},
): Promise<Listening> {
  const limits = { ...LIMITS, ...given };
  const connections = createConnections<Connection>(limits.connections, limits.ofOneClient);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    serve(socket, responder, clock, limits, connections),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    const fd = openSocket?.("TCP", at);
    const { address: host, port } = at;
    if (fd !== undefined) server.listen({ fd, backlog: BACKLOG });
    else server.listen({ port, host, ipv6Only: host.includes(":"), reusePort, backlog: BACKLOG });
  }).catch(async (error: Error) => {
    throw await listenError("TCP", at, error);
  });
  server.on("error", (error) => log.warn({ err: error }, "the DNS server could not take a TCP connection"));
  const bound = server.address();
  return {
    address: at.address,
    port: typeof bound === "object" && bound !== null ? bound.port : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.closeAll();
      }),
  };
}
