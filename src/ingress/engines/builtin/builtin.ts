import { randomBytes } from "node:crypto";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { familyOf } from "../../../net/ip.ts";
import type { ConnectionFigures, EngineGround, IngressEngine, Listener } from "../../engine.ts";
import type { IngressPlan } from "../../plan/plan.ts";
import { composeHandler, type HandlerParts } from "./compose.ts";
import { attach, connectionOf, type Connection } from "./connections/connection.ts";
import { bidFarewell, isIdle } from "./connections/farewell.ts";
import { lastAnswer, sayGoodbye } from "./connections/end.ts";
import { createHttp1 } from "./connections/http1.ts";
import { createHttp2 } from "./connections/http2.ts";
import { readOpening, type Opened } from "./connections/opening.ts";
import { stalledIn, type Stalled } from "./connections/stalled.ts";
import type { Handler } from "./handler.ts";
import { LIMITS, type ConnectionLimits } from "./limits.ts";
import { listen, type Listening } from "./listening/listen.ts";
import { resetStream } from "./reset-stream.ts";
import { createTerminators } from "./tls/terminators.ts";

export interface BuiltinGround extends EngineGround, HandlerParts {
  /** What keys of TLS session tickets come of; engines with the same one resume each other's sessions. Absent: one that nobody else has. */
  readonly ticketSecret?: Buffer;
  readonly limits?: Partial<ConnectionLimits>;
}

/** Milliseconds between two lines of the log that say the same. */
const SAY_AGAIN = 10_000;

export interface BuiltinEngine extends IngressEngine {
  readonly figures: ConnectionFigures;
}

/** Carries plans in this process: listens, ends TLS, speaks HTTP/1 and HTTP/2 with clients, and gives their requests to the handler. */
export function createBuiltinEngine(ground: BuiltinGround, handler: Handler = composeHandler(ground)): BuiltinEngine {
  const { clock, log } = ground;
  const limits: ConnectionLimits = { ...LIMITS, ...ground.limits };
  const connections = new Set<Connection>();
  const figures = { taken: 0, handshakesFailed: 0, refused: 0, stalled: 0 };
  let opening: Promise<void> | undefined;
  let listening: Listening | undefined;
  let stopping: { readonly at: number; readonly ended: Promise<void> } | undefined;
  let isOver = false;
  let isClosing = false;
  let emptied: (() => void) | undefined;
  /** What is under way has had its time. */
  const late = Promise.withResolvers<void>();
  let lastSaid = Number.NEGATIVE_INFINITY;

  const refused = (why: string, { arrival, listener }: Connection): void => {
    figures.refused += 1;
    log.debug({ client: arrival.client, port: listener.port, why }, "a request was refused");
  };
  const http = { handler, clock, limits, isDraining: () => stopping !== undefined, refused };
  const http1 = createHttp1(http);
  const http2 = createHttp2(http);

  const terminators = createTerminators({
    ticketSecret: ground.ticketSecret ?? randomBytes(32),
    handshake: limits.handshake,
    secured(socket: TLSSocket) {
      const raw = (socket as TLSSocket & { readonly _parent?: Socket })._parent;
      const connection = raw === undefined ? undefined : connectionOf(raw);
      if (connection === undefined || raw?.destroyed === true) return void socket.destroy();
      connection.socket = socket;
      attach(socket, connection);
      if (socket.alpnProtocol === "h2") http2.serve(connection);
      else http1.serve(connection);
    },
    failed(error, socket) {
      figures.handshakesFailed += 1;
      log.debug({ err: error, client: socket.remoteAddress }, "a TLS handshake came to nothing");
      socket.destroy();
    },
    unusable: ({ name, certificate }, error) =>
      log.error(
        { name, secret: certificate.secret, err: error },
        "the certificate of a name cannot be used, so clients get the one for no name",
      ),
  });

  const opened = (connection: Connection, what: Opened): void => {
    const { raw } = connection;
    switch (what.is) {
      case "http1":
        return http1.serve(connection);
      case "http2":
        return http2.serve(connection);
      case "refused":
        refused(what.why, connection);
        return void raw.destroy();
      case "not-tls":
        refused("it does not speak TLS where TLS is spoken", connection);
        return sayGoodbye(connection, lastAnswer(400, "this port speaks TLS"), clock, limits.linger);
      case "tls": {
        const terminator = terminators.for(what.serverName);
        if (terminator === undefined) {
          refused("there is no certificate", connection);
          return void raw.destroy();
        }
        connection.arrival = { ...connection.arrival, tls: true, serverName: what.serverName };
        connection.deadline = Infinity;
        terminator.emit("connection", raw);
      }
    }
  };

  const accepted = (raw: Socket, listener: Listener): void => {
    figures.taken += 1;
    // Gone before it was taken.
    if (raw.remoteAddress === undefined && familyOf(listener.address) !== undefined) return void raw.destroy();
    const connection: Connection = {
      listener,
      raw,
      socket: raw,
      arrival: {
        // A socket for both families says IPv4 addresses in the form of IPv6.
        client: raw.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") ?? "",
        clientPort: raw.remotePort ?? 0,
        tls: false,
        serverName: undefined,
        port: listener.port,
      },
      stage: "opening",
      deadline:
        clock.now() + (listener.proxyProtocol ? limits.proxyHeader : listener.tls ? limits.handshake : limits.head),
      answer: undefined,
      pipelined: 0,
      session: undefined,
      streams: new Set(),
      progress: { bytes: 0, since: 0, of: "nothing" },
    };
    attach(raw, connection);
    connections.add(connection);
    raw.on("close", () => {
      connections.delete(connection);
      if (connections.size === 0) emptied?.();
    });
    raw.on("error", () => raw.destroy());
    readOpening(raw, {
      tls: listener.tls,
      proxyProtocol: listener.proxyProtocol,
      proxied({ address, port, toPort, tls, serverName }) {
        connection.arrival = { client: address, clientPort: port, tls, serverName, port: toPort };
        connection.deadline = clock.now() + (listener.tls ? limits.handshake : limits.head);
      },
      opened: (what) => opened(connection, what),
    });
  };

  const cut = (connection: Connection, { what, why }: Stalled): void => {
    figures.stalled += 1;
    log.debug({ client: connection.arrival.client, why }, "a connection was cut");
    if (what === connection) connection.raw.destroy();
    else resetStream(what as ServerHttp2Stream, constants.NGHTTP2_CANCEL);
  };

  const sweep = (): void => {
    if (isOver) return;
    const now = clock.now();
    for (const connection of connections) {
      if (stopping !== undefined && now - stopping.at >= limits.farewell && isIdle(connection))
        if (connection.session === undefined) sayGoodbye(connection, "", clock, limits.linger);
        else connection.session.close();
      else for (const stalled of stalledIn(connection, now, limits)) cut(connection, stalled);
    }
    clock.after(limits.sweep, sweep);
  };

  const open = async (): Promise<void> => {
    const { listeners } = ground;
    listening = await listen(listeners, {
      open: ground.open,
      accepted,
      failed(error, { address, port }) {
        if (clock.now() - lastSaid < SAY_AGAIN) return;
        lastSaid = clock.now();
        log.error({ address, port, open: connections.size, err: error }, "a connection could not be taken");
      },
    });
    clock.after(limits.sweep, sweep);
  };

  const end = async (): Promise<void> => {
    handler.drain();
    // What the kernel has taken for us is taken before the socket is let go.
    await new Promise((resolve) => setImmediate(resolve));
    const empty = new Promise<void>((resolve) => {
      emptied = resolve;
    });
    const closed = listening?.close();
    for (const connection of connections) bidFarewell(connection);
    if (connections.size === 0) emptied?.();
    await Promise.race([empty, late.promise]);
    isClosing = true;
    await handler.close();
    isOver = true;
    for (const { raw } of connections) raw.destroy();
    await Promise.all([empty, closed]);
    http1.close();
  };

  return {
    name: "builtin",
    async apply(plan: IngressPlan) {
      if (isClosing) throw new Error("serving by a new plan: the engine was stopped");
      handler.follow(plan);
      terminators.follow(plan.certificates);
      // What a connection that is left still asks for is answered as things are then; new ones are somebody else's.
      if (stopping !== undefined) return;
      opening ??= open();
      try {
        await opening;
      } catch (error) {
        opening = undefined;
        throw error;
      }
    },
    get listening() {
      return listening?.listeners ?? [];
    },
    stop(drain) {
      stopping ??= { at: clock.now(), ended: end() };
      const cancel = clock.after(drain, late.resolve);
      return stopping.ended.finally(cancel);
    },
    // It shares this process, and what goes wrong for one connection is over with it.
    failed: new Promise(() => {}),
    get figures() {
      return { open: connections.size, ...figures };
    },
  };
}
