import type { Socket } from "node:net";

/** Bytes of one to the other, as fast as the other takes them; the end of one is the end of what the other hears (PRX-195). */
function pour(from: Socket, to: Socket): void {
  from.on("data", (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => to.resetAndDestroy());
  // Ended by us, or in a way that is neither an end nor an error: nobody will ever send the rest.
  from.on("close", () => {
    if (!from.readableEnded) to.resetAndDestroy();
  });
}

/**
 * Joins two connections: bytes both ways with the pressure of who reads slowly, each side's end by itself, and a reset as a reset. Both
 * must allow half-open. `over` is called once, when both are closed.
 */
export function splice(one: Socket, other: Socket, over: () => void): void {
  pour(one, other);
  pour(other, one);
  let open = 2;
  const closed = (): void => {
    if (--open === 0) over();
  };
  one.once("close", closed);
  other.once("close", closed);
  one.resume();
  other.resume();
}
