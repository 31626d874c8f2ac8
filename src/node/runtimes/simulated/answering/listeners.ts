import { createServer, type Server, type Socket } from "node:net";

/** One listening socket for each TCP port, whoever's it is. */
export interface Listeners {
  /** Listens unless it does; for each `take` one `release`. */
  take(port: number): Promise<void>;
  release(port: number): void;
}

export function tcpListeners(connected: (socket: Socket) => void): Listeners {
  const byPort = new Map<number, { users: number; readonly server: Server; readonly listening: Promise<void> }>();
  const release = (port: number): void => {
    const entry = byPort.get(port);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    byPort.delete(port);
    entry.server.close();
  };
  return {
    release,
    async take(port) {
      let entry = byPort.get(port);
      if (entry === undefined) {
        const server = createServer({ allowHalfOpen: true, noDelay: true }, connected);
        const listening = new Promise<void>((resolve, reject) => {
          server.once("error", (cause) =>
            reject(new Error(`listening on TCP port ${port}: ${cause.message}`, { cause })),
          );
          // Of both families where the kernel has both.
          server.listen({ port, backlog: 4096 }, resolve);
        });
        entry = { users: 0, server, listening };
        byPort.set(port, entry);
      }
      entry.users += 1;
      try {
        await entry.listening;
      } catch (error) {
        release(port);
        throw error;
      }
    },
  };
}
