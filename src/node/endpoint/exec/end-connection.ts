import type { Duplex } from "node:stream";

/** Milliseconds that a client has to end its connection after it was told the end. */
const PATIENCE = 5_000;

/**
 * Waits until the client ends a connection on which all has been said. Closing first, with bytes of it unread, would make the kernel
 * reset the connection, and the client could lose what it had not read yet.
 */
export function clientEnds(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.once("end", () => socket.end(() => socket.destroy()));
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    if (socket.readableEnded) socket.end(() => socket.destroy());
    socket.resume();
  });
}
