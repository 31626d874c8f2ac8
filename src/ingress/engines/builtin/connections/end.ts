import type { Clock } from "../../../../observe/clock.ts";
import type { Connection } from "./connection.ts";

/**
 * Sends the last bytes of a connection over HTTP/1, and lets the client read them: closing at once, with bytes of its unread, would have the
 * kernel cut it off before (RFC 9112 §9.6). What still comes is passed over.
 */
export function sayGoodbye(connection: Connection, last: string, clock: Clock, linger: number): void {
  const { socket } = connection;
  connection.stage = "ending";
  if (socket.destroyed) return;
  const cut = (): void => void socket.destroy();
  const cancel = clock.after(linger, cut);
  // What we say may not have gone out yet.
  socket.once("end", () => socket.destroySoon());
  socket.once("close", cancel);
  socket.end(last, "latin1");
  socket.resume();
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** A whole answer, the last of its connection. */
export function lastAnswer(status: number, sentence = ""): string {
  const title = `${status} ${REASONS[status] ?? "Error"}`;
  const body = `${title}${sentence === "" ? "" : `: ${sentence}`}\n`;
  return `HTTP/1.1 ${title}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
