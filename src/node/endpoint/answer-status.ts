import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../../api/status.ts";
import type { Status } from "../../api/generated/types.ts";
import type { Log } from "../../observe/log.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { STATUS_CODES: HTTP_WORDS } = process.getBuiltinModule("node:http");

/** A failure as its Status. What nobody expected is logged whole. */
export function statusOf(error: unknown, log: Log, path: string): Status & { readonly code: number } {
  if (error instanceof ApiError) return { ...error.toStatus(), code: error.code };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const about = { apiVersion: "v1", kind: "Status", metadata: {}, status: "Failure", message } as const;
  log.error({ path, error: message, stack }, "a request to the node endpoint failed in a way nobody expected");
  return { ...about, reason: "InternalError", code: 500 };
}

/** Answers with a Status; cuts an answer off that has begun. */
export function sendStatus(answer: ServerResponse, status: Status & { readonly code: number }): void {
  if (answer.destroyed) return;
  if (answer.headersSent) {
    answer.destroy();
    return;
  }
  answer.writeHead(status.code, { "content-type": "application/json" });
  answer.end(JSON.stringify(status));
}

/** Answers a refused upgrade on its bare connection, and ends that. */
export function refuseUpgrade(socket: Duplex, status: Status & { readonly code: number }): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${status.code} ${HTTP_WORDS[status.code] ?? "Error"}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
