import type { ServerHttp2Stream } from "node:http2";
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

/** What is waited for from a client: a body that somebody reads, or what is left of one that was answered already and nobody wants. */
function awaited(connection: Connection): Connection["progress"]["of"] {
  const request = connection.answer?.req;
  if (request === undefined || request.complete) return "nothing";
  if (!isAnswering(connection)) return "rest";
  // One that is not wanted now, or not yet, is not the client's fault.
  return request.readableFlowing === true && request.readableLength === 0 ? "body" : "nothing";
}

/** Whether it has been waited for too long: for the next byte of a body, or for all that is left of one. */
function isSilent(connection: Connection, now: number, body: number): boolean {
  const { socket, progress } = connection;
  const of = awaited(connection);
  const hasMoved = socket.bytesRead !== progress.bytes;
  progress.bytes = socket.bytesRead;
  if (of === "nothing" || of !== progress.of || (of === "body" && hasMoved)) {
    progress.of = of;
    progress.since = now;
    return false;
  }
  return now - progress.since >= body;
}

/** What is to be cut: the whole connection, or one stream of it. */
export interface Stalled {
  readonly what: Connection | ServerHttp2Stream;
  readonly why: string;
}

/** What has gone on for too long. Asked every so often of each connection. */
export function* stalledIn(connection: Connection, now: number, limits: ConnectionLimits): Generator<Stalled> {
  const unread = "it does not read what it asked for";
  if (now >= connection.deadline) yield { what: connection, why: "it has not begun to speak in time" };
  else if (connection.stage === "http2") {
    for (const stream of connection.streams)
      if (isUnread(stream, now, limits.send)) yield { what: stream, why: unread };
  } else if (connection.stage === "http1") {
    // What is over is not kept for as long as the connection is idle.
    if (!isAnswering(connection) && connection.answer?.req.complete === true) connection.answer = undefined;
    if (isUnread(connection.socket, now, limits.send)) yield { what: connection, why: unread };
    else if (isSilent(connection, now, limits.body))
      yield { what: connection, why: "the rest of a body does not come" };
  }
}
