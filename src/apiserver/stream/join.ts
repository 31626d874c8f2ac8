import type { Duplex } from "node:stream";

/** Milliseconds in which a side that has been told of the end may still take what is under way to it. */
const PATIENCE = 10_000;

/** Ends a connection after all that was written to it has left. */
function endSoon(socket: Duplex): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), PATIENCE);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}

/**
 * Passes bytes both ways, each side as fast as the other reads, until either side ends; then both are closed. A client still gets what
 * the node said; a node whose client has gone is cut off.
 */
export function join(client: Duplex, node: Duplex): Promise<void> {
  const follow = (from: Duplex, to: Duplex): Promise<void> =>
    new Promise((resolve) => {
      // A broken connection is an ended one here: its other side is told in the only way there is.
      from.on("error", () => from.destroy());
      from.once("end", () => endSoon(to));
      from.once("close", () => {
        if (to === node) to.destroy();
        else endSoon(to);
        resolve();
      });
      if (from.destroyed) {
        endSoon(to);
        resolve();
        return;
      }
      from.pipe(to, { end: false });
    });
  return Promise.all([follow(client, node), follow(node, client)]).then(() => {});
}
