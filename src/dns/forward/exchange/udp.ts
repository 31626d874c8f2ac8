import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "../../../observe/clock.ts";
import type { SocketAddress } from "../../server/address.ts";
import { answersQuestion } from "../question.ts";
import { freshId, type Asker, type Exchange } from "./exchange.ts";

export interface UdpOptions {
  readonly to: SocketAddress;
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds after which a socket that nobody used is closed. */
  readonly expire: number;
  connection(reused: boolean): void;
}

/** Sockets at one time: with the ids, what a forger has to guess. More of them would cost more than they add. */
const SOCKETS = 8;
/** A socket per query would be best against forgers, and three times as dear: each serves this many, for so long. */
const USES = 512;
const LONGEST_LIFE = 10_000;
/** Queries one socket waits for at once. */
const WAITING = 2048;
/** However soon unused sockets are to go: milliseconds between looks for them. */
const SHORTEST_EXPIRY = 20;
const RECEIVE_BUFFER = 1 << 20;

interface Port {
  readonly socket: Socket;
  readonly waiting: Map<number, Asker>;
  readonly born: number;
  uses: number;
  last: number;
  isConnected: boolean;
  isRetired: boolean;
  /** Queries from before the socket was connected. */
  unsent: Buffer[];
  readonly fail: (error: Error | null) => void;
}

/**
 * Over UDP, from several sockets at once, each with a port that the kernel picks at random and connected, so that only the
 * resolver is heard. Packets that do not answer a query that was sent from their very socket are passed over: somebody
 * may be guessing (RFC 5452 §9).
 */
export function createUdpExchange(options: UdpOptions): Exchange {
  const { to, clock, random } = options;
  const expire = Math.max(SHORTEST_EXPIRY, options.expire);
  const family = to.address.includes(":") ? 6 : 4;
  /** In use, then those that only wait for their last answers. */
  const ports: Port[] = [];
  const retired = new Set<Port>();
  const where = `${to.address} port ${to.port}`;
  let isClosed = false;
  let cancelSweep: (() => void) | undefined;

  const shut = (port: Port): void => {
    retired.delete(port);
    port.socket.close();
  };
  const retire = (port: Port): void => {
    if (port.isRetired) return;
    port.isRetired = true;
    ports.splice(ports.indexOf(port), 1);
    retired.add(port);
    if (port.waiting.size === 0) shut(port);
  };
  const isOld = (port: Port, now: number): boolean =>
    port.uses >= USES || now - port.born >= LONGEST_LIFE || port.waiting.size >= WAITING;

  const sweep = (): void => {
    const now = clock.now();
    for (const port of ports.filter(({ last, waiting }) => waiting.size === 0 && now - last >= expire)) retire(port);
    cancelSweep = ports.length === 0 ? undefined : clock.after(expire, sweep);
  };

  const exchange: Exchange = {
    protocol: "udp",
    send(asker) {
      const now = clock.now();
      const port = portFor(now);
      if (port.isRetired) {
        // It could not even be opened: there are no file descriptors or ports left.
        process.nextTick(() =>
          asker.failed(new Error(`asking the upstream resolver ${where} over UDP: no socket`), exchange),
        );
        return () => {};
      }
      port.uses += 1;
      port.last = now;
      const id = freshId(port.waiting, random);
      const { query } = asker;
      query[0] = id >> 8;
      query[1] = id & 0xff;
      port.waiting.set(id, asker);
      // Without a callback, which would be called for every query and cost a tenth of it. That nobody is there is heard when the
      // socket is read; the few refusals that come back to a send instead are not, but the next one is.
      if (port.isConnected) port.socket.send(query);
      else port.unsent.push(query);
      return () => {
        if (port.waiting.get(id) === asker) port.waiting.delete(id);
        if (port.isRetired && port.waiting.size === 0 && retired.has(port)) shut(port);
      };
    },
    close() {
      isClosed = true;
      cancelSweep?.();
      for (const port of [...ports, ...retired]) {
        port.waiting.clear();
        port.isRetired = true;
        port.socket.close();
      }
      ports.length = 0;
      retired.clear();
    },
  };

  /** One at random of those in use; a new one as long as there are few. */
  const portFor = (now: number): Port => {
    if (ports.length === SOCKETS) {
      const port = ports[Math.floor(random() * SOCKETS)]!;
      if (!isOld(port, now)) {
        options.connection(true);
        return port;
      }
      retire(port);
    }
    options.connection(false);
    return open(now);
  };

  /** The kernel says that nobody is there, or that there is no way: true of every query that waits, whatever its port. */
  const failAll = (error: Error): void => {
    const all = [...ports, ...retired];
    const askers = all.flatMap(({ waiting }) => [...waiting.values()]);
    for (const port of all) {
      port.waiting.clear();
      if (!port.isRetired) retire(port);
      else shut(port);
    }
    const reason = new Error(`asking the upstream resolver ${where} over UDP: ${error.message}`, { cause: error });
    for (const asker of askers) asker.failed(reason, exchange);
  };

  const open = (now: number): Port => {
    const socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      recvBufferSize: RECEIVE_BUFFER,
      // Answered at once: the address is one already, and Node would otherwise put everything off to the next tick.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    const port: Port = {
      socket,
      waiting: new Map(),
      born: now,
      uses: 0,
      last: now,
      isConnected: false,
      isRetired: false,
      unsent: [],
      fail: (error) => {
        if (error !== null && !isClosed) failAll(error);
      },
    };
    socket.on("error", port.fail);
    socket.on("message", (response) => {
      if (response.length < 12) return;
      const id = (response[0]! << 8) | response[1]!;
      const asker = port.waiting.get(id);
      if (asker === undefined || !answersQuestion(asker.query, asker.end, response)) return;
      port.waiting.delete(id);
      if (port.isRetired && port.waiting.size === 0 && retired.has(port)) shut(port);
      asker.heard(response, exchange);
    });
    // Not as connect's callback, which is called on failure too, with an error (no route): then there is nothing to send by.
    socket.once("connect", () => {
      port.isConnected = true;
      for (const query of port.unsent) socket.send(query, port.fail);
      port.unsent = [];
    });
    ports.push(port);
    try {
      socket.connect(to.port, to.address);
    } catch {
      retire(port);
    }
    cancelSweep ??= clock.after(expire, sweep);
    return port;
  };

  return exchange;
}
