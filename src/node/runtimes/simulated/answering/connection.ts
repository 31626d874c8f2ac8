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

/** Reads until it can be judged, and puts back what was read. Who ends before that is sent back what came. */
export function onFirstBytes(socket: Socket, judged: (speech: Exclude<Speech, "unsure">) => void): void {
  let first = Buffer.alloc(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const judge = (speech: Exclude<Speech, "unsure">): void => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("end", over);
    if (socket.destroyed) return;
    socket.unshift(first);
    judged(speech);
  };
  const look = (): void => {
    const came = socket.read() as Buffer | null;
    if (came === null) return;
    first = Buffer.concat([first, came]);
    const speech = speechOf(first);
    if (speech !== "unsure") judge(speech);
    else timer ??= setTimeout(() => judge("other"), PATIENCE);
  };
  const over = (): void => {
    clearTimeout(timer);
    socket.end(first);
  };
  socket.on("readable", look);
  socket.once("end", over);
  socket.once("close", () => clearTimeout(timer));
}

/** Sends back whatever comes, and ends when the other side does. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}
