import { createServer, type Server, type Socket } from "node:net";
import { takenBy } from "../../../../host/port-holder.ts";
import { familyOf, hostPort } from "../../../../net/ip.ts";
import type { Listener, ListenerOpener } from "../../../engine.ts";

/** Connections that wait to be taken, if the kernel's limit allows; a client beyond it tries again only after a second. */
const BACKLOG = 16_384;
/** After so many milliseconds of silence the kernel asks whether the client is still there. */
const KEEP_ALIVE = 60_000;

export interface Listening {
  /** In the order that was asked for, with the ports that were given. */
  readonly listeners: readonly Listener[];
  /** Takes no more connections. Sockets that somebody else has open go on listening. */
  close(): Promise<void>;
}

export interface ListenGround {
  readonly open: ListenerOpener | undefined;
  /** A connection that has come; nothing of it has been read. */
  accepted(socket: Socket, listener: Listener): void;
  /** A connection could not be taken, as when there are no descriptors left; the next one may be. */
  failed(error: Error, listener: Listener): void;
}

/** Listens on every address. All or nothing: when one cannot be taken, none stays open. */
export async function listen(wanted: readonly Listener[], ground: ListenGround): Promise<Listening> {
  const servers: Server[] = [];
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))));
  };
  try {
    for (const listener of wanted) {
      const server = createServer({
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE,
      });
      const port = await opened(server, listener, ground.open);
      const given = { ...listener, port };
      server.on("connection", (socket) => ground.accepted(socket, given));
      server.on("error", (error) => ground.failed(error, given));
      servers.push(server);
      listeners.push(given);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listeners, close };
}

/** The port that it listens at; 0 of a path. */
async function opened(server: Server, listener: Listener, open: ListenerOpener | undefined): Promise<number> {
  const { address, port } = listener;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", () => {
        server.off("error", reject);
        resolve();
      });
      const fd = open?.(listener);
      if (fd !== undefined) server.listen({ fd, backlog: BACKLOG });
      else if (address.startsWith("/")) server.listen({ path: address, backlog: BACKLOG });
      else server.listen({ host: address, port, ipv6Only: address.includes(":"), backlog: BACKLOG });
    });
  } catch (error) {
    throw await listenError(listener, error as NodeJS.ErrnoException);
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

/** The sentence for an address that could not be taken, with the remedy. */
async function listenError({ address, port, tls }: Listener, cause: NodeJS.ErrnoException): Promise<Error> {
  const isPath = familyOf(address) === undefined;
  const remedy =
    cause.code === "EADDRINUSE"
      ? `${isPath ? "taken" : await takenBy("TCP", address, port)}; end it, or choose another address`
      : cause.code === "EADDRNOTAVAIL"
        ? "no interface has this address"
        : cause.code === "EACCES"
          ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
          : cause.message;
  const where = isPath ? address : hostPort(address, port);
  return new Error(`listening for ${tls ? "HTTPS" : "HTTP"} on ${where}: ${remedy}`, { cause });
}
