import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { Clock } from "../../../observe/clock.ts";
import type { UpstreamOptions } from "../../configuration/configuration.ts";
import { answersQuestion } from "../question.ts";
import { freshId, type Asker, type Exchange } from "./exchange.ts";

export interface StreamOptions {
  readonly to: UpstreamOptions;
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds after which a connection that nobody used is closed. */
  readonly expire: number;
  connection(reused: boolean): void;
}

/** Queries that wait on one connection before another one is opened, and the most connections. */
const WAITING = 64;
const CONNECTIONS = 16;
/** Messages that answer nothing that waits: an answer may be late, but not this often. */
const UNASKED = 100;
/** However soon unused connections are to go: milliseconds between looks for them. */
const SHORTEST_EXPIRY = 20;

interface Connection {
  readonly socket: Socket;
  readonly waiting: Map<number, Asker>;
  pending: Buffer;
  last: number;
  unasked: number;
}

let authorities: SecureContext | undefined;
/** Whom this machine trusts, beside whom Node does. Read once: there are hundreds of certificates. */
const trusted = (): SecureContext =>
  (authorities ??= createSecureContext({ ca: [...getCACertificates("default"), ...getCACertificates("system")] }));

/**
 * Over TCP (RFC 7766) or TLS (RFC 7858): connections are kept and shared by queries, whose answers come in any order.
 * What comes with a length of 0 or says it is a response to something else ends the connection.
 */
export function createStreamExchange(options: StreamOptions): Exchange {
  const { to, clock, random } = options;
  const expire = Math.max(SHORTEST_EXPIRY, options.expire);
  const protocol = to.tls === undefined ? "tcp" : "tcp-tls";
  const open = new Set<Connection>();
  let isClosed = false;
  let cancelSweep: (() => void) | undefined;

  const sweep = (): void => {
    const now = clock.now();
    for (const connection of open) {
      if (connection.waiting.size === 0 && now - connection.last >= expire) drop(connection);
    }
    cancelSweep = open.size === 0 ? undefined : clock.after(expire, sweep);
  };

  const drop = (connection: Connection): void => {
    open.delete(connection);
    connection.socket.destroy();
  };

  const dial = (): Socket => {
    const at = { host: to.address, port: to.port };
    if (to.tls === undefined) return connectTcp({ ...at, noDelay: true });
    const { serverName } = to.tls;
    const name = serverName === undefined ? {} : { servername: serverName };
    const socket = connectTls({ ...at, ...name, secureContext: trusted(), ALPNProtocols: ["dot"] });
    socket.setNoDelay();
    return socket;
  };

  const take = (connection: Connection, message: Buffer): void => {
    const id = message.length < 12 ? -1 : (message[0]! << 8) | message[1]!;
    const found = connection.waiting.get(id);
    if (found === undefined || !answersQuestion(found.query, found.end, message)) {
      connection.unasked += 1;
      if (connection.unasked > UNASKED) connection.socket.destroy(new Error("it answers what nobody asks"));
      return;
    }
    connection.waiting.delete(id);
    // A copy: the message may be part of a larger piece, which would be kept along with it.
    const copy = Buffer.allocUnsafeSlow(message.length);
    copy.set(message);
    found.heard(copy, exchange);
  };

  const receive = (connection: Connection, chunk: Buffer): void => {
    let bytes = connection.pending.length === 0 ? chunk : Buffer.concat([connection.pending, chunk]);
    while (bytes.length >= 2) {
      const length = bytes.readUInt16BE(0);
      if (length === 0) {
        connection.socket.destroy(new Error("it sent a message of no length"));
        return;
      }
      if (bytes.length < 2 + length) break;
      take(connection, bytes.subarray(2, 2 + length));
      if (connection.socket.destroyed) return;
      bytes = bytes.subarray(2 + length);
    }
    // At most one message and what came with it.
    connection.pending = bytes;
  };

  const connect = (): Connection => {
    const socket = dial();
    const connection: Connection = {
      socket,
      waiting: new Map(),
      pending: Buffer.alloc(0),
      last: clock.now(),
      unasked: 0,
    };
    open.add(connection);
    let reason = new Error("it closed the connection");
    socket.on("data", (chunk: Buffer) => receive(connection, chunk));
    socket.on("error", (error) => (reason = error));
    socket.on("close", () => {
      open.delete(connection);
      if (isClosed) return;
      const what = `asking the upstream resolver ${to.address} port ${to.port} over ${protocol === "tcp" ? "TCP" : "TLS"}`;
      const failure = new Error(`${what}: ${reason.message}`, { cause: reason });
      const left = [...connection.waiting.values()];
      connection.waiting.clear();
      // It may have gone while we thought it kept: whoever waited tries again (RFC 7766 §6.2.4).
      for (const asker of left) asker.failed(failure, exchange);
    });
    cancelSweep ??= clock.after(expire, sweep);
    return connection;
  };

  const post = (asker: Asker, connection: Connection): (() => void) => {
    const { query } = asker;
    const id = freshId(connection.waiting, random);
    query.writeUInt16BE(id, 0);
    connection.waiting.set(id, asker);
    connection.last = clock.now();
    const framed = Buffer.allocUnsafe(query.length + 2);
    framed.writeUInt16BE(query.length, 0);
    framed.set(query, 2);
    connection.socket.write(framed);
    return () => {
      if (connection.waiting.get(id) === asker) connection.waiting.delete(id);
      // Nobody waits, and it is not even there: it may never be.
      if (connection.socket.connecting && connection.waiting.size === 0) drop(connection);
    };
  };

  const pick = (): Connection => {
    let best: Connection | undefined;
    for (const connection of open) {
      if (!connection.socket.writable) continue;
      if (best === undefined || connection.waiting.size < best.waiting.size) best = connection;
    }
    const isEnough = best !== undefined && (best.waiting.size < WAITING || open.size >= CONNECTIONS);
    options.connection(isEnough);
    return isEnough ? best! : connect();
  };

  const exchange: Exchange = {
    protocol,
    send: (asker) => post(asker, pick()),
    close() {
      isClosed = true;
      cancelSweep?.();
      for (const connection of open) connection.socket.destroy();
      open.clear();
    },
  };
  return exchange;
}
