import type { Writable } from "node:stream";
import type { ConnectionLimits } from "../limits.ts";
import { isAnswering, type Connection } from "./connection.ts";

/** Since when something that is to be sent has been waiting for the client to take it; absent: it is not waiting. */
const waiting = new WeakMap<Writable, number>();

/** Whether the client has taken nothing for too long of what waits to be sent. It costs nothing while nothing waits. */
function isUnread(writable: Writable, now: number, send: number): boolean {
  const isWaiting = writable.writableNeedDrain || (writable.writableEnded && !writable.writableFinished);
  if (!isWaiting || writable.destroyed) {
    waiting.delete(writable);
    return false;
  }
  const since = waiting.get(writable);
  if (since !== undefined) return now - since >= send;
  waiting.set(writable, now);
  writable.once("drain", () => waiting.delete(writable));
  return false;
}

/** Whether a body is waited for of which nothing has come for too long. One that is not wanted now, or not yet, is nobody's fault. */
function isSilent(connection: Connection, now: number, body: number): boolean {
  const { answer, socket, progress } = connection;
  const request = answer?.req;
  const isWanted =
    request !== undefined &&
    isAnswering(connection) &&
    !request.complete &&
    !request.isPaused() &&
    request.readableLength === 0 &&
    request.headers.expect === undefined;
  if (!isWanted || socket.bytesRead !== progress.bytes || !progress.isBlocked) {
    progress.isBlocked = isWanted;
    progress.bytes = socket.bytesRead;
    progress.since = now;
    return false;
  }
  return now - progress.since >= body;
}

/** Cuts what has gone on for too long. Called every so often for each connection. */
export function cutStalled(
  connection: Connection,
  now: number,
  limits: ConnectionLimits,
  cut: (why: string) => void,
): void {
  if (now >= connection.deadline) return cut("it has not begun to speak in time");
  if (connection.stage === "http2") {
    for (const stream of connection.streams) if (isUnread(stream, now, limits.send)) stream.destroy();
  } else if (connection.stage === "http1") {
    if (isUnread(connection.socket, now, limits.send)) cut("it does not read what it asked for");
    else if (isSilent(connection, now, limits.body)) cut("the rest of a body does not come");
  }
}
