import type { Socket } from "node:net";

/** What the first bytes of a connection say it is. */
export type Speech = "http" | "http2" | "other" | "unsure";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"].map(
  (name) => `${name} `,
);
const PREFACE = "PRI * HTTP/2.0\r\n";

/** Judges by the first bytes: a method and a blank (RFC 9112 3), HTTP/2's preface (RFC 9113 3.4), or neither. */
export function speechOf(first: Buffer): Speech {
  const text = first.toString("latin1", 0, PREFACE.length);
  if (text.startsWith(PREFACE)) return "http2";
  if (METHODS.some((method) => text.startsWith(method))) return "http";
  return [PREFACE, ...METHODS].some((beginning) => beginning.startsWith(text)) ? "unsure" : "other";
}

/** How long half a word may wait for its other half, in milliseconds. */
const PATIENCE = 250;

/** Reads until it can be judged, and puts back what was read. Not called for one that ends before it says anything. */
export function onFirstBytes(socket: Socket, judged: (speech: Exclude<Speech, "unsure">) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const judge = (speech: Exclude<Speech, "unsure">): void => {
    clearTimeout(timer);
    socket.off("readable", look);
    if (!socket.destroyed) judged(speech);
  };
  const look = (): void => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    socket.unshift(first);
    const speech = speechOf(first);
    if (speech !== "unsure") judge(speech);
    else if (socket.readableEnded) judge("other");
    else timer ??= setTimeout(() => judge("other"), PATIENCE);
  };
  socket.on("readable", look);
  socket.once("close", () => clearTimeout(timer));
}

/** Sends back whatever comes, and ends when the other side does. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}
