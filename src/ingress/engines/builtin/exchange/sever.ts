import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Ends a connection so that the other side cannot take it for the end of what was said: where the end of a connection is the end of a body, only a
 * reset is not.
 */
export function sever(connection: Duplex): void {
  if (connection.destroyed) return;
  // Not of TLS, whose end is said in its own words, and those are missing now.
  if (Object.getPrototypeOf(connection) === Socket.prototype) {
    try {
      (connection as Socket).resetAndDestroy();
      return;
    } catch {
      // A Unix socket.
    }
  }
  connection.destroy();
}
