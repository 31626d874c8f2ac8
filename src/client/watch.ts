import type { KubeObject, Resource, WatchEvent } from "../api/object.ts";
import { ApiError } from "../api/status.ts";
import type { Status } from "../api/generated/types.ts";
import { systemClock } from "../observe/clock.ts";
import type { WatchParameters } from "./client.ts";
import type { Connection } from "./connection.ts";
import { linesOf } from "./lines.ts";
import { collectionPath, queryOf } from "./paths.ts";
import type { Transport } from "./transport.ts";

/** Signs of life in a row that may stay out before a watch is given up: one may be lost with the connection it was asked on. */
const SIGNS = 2;
/** Milliseconds before the next is asked for: the first may have been refused at once. */
const AFTER_NO_SIGN = 1000;
const TYPES = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

function eventOf<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new Error(`a line of the watch is no JSON: ${line.slice(0, 120)}`, { cause });
  }
  const { type, object } = (event ?? {}) as { type?: unknown; object?: unknown };
  if (typeof type !== "string" || !TYPES.has(type) || typeof object !== "object" || object === null) {
    throw new Error(`a line of the watch is no watch event: ${line.slice(0, 120)}`);
  }
  return event as WatchEvent<T>;
}

/**
 * The events of one watch request. Returns when the server ends the stream well or `signal` is aborted. Throws when it
 * breaks, is silent for longer than `connection.stall`, or tells an ERROR (as the ApiError that its Status means); and when
 * the server is silent on every connection and gives no sign of life when asked: a server that is frozen, or a machine that
 * is gone, resets no connection.
 */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  connection: Connection,
  resource: Resource,
  parameters: WatchParameters,
  signal: AbortSignal,
  opened: () => void = () => {},
): AsyncGenerator<WatchEvent<T>> {
  if (signal.aborted) return;
  const clock = connection.clock ?? systemClock;
  const stall = connection.stall ?? 150_000;
  const silence = Math.min(connection.silence ?? 10_000, stall);
  const { namespace, ...rest } = parameters;
  const path =
    collectionPath(resource, namespace) +
    queryOf({ ...rest, watch: true, allowWatchBookmarks: true, timeoutSeconds: connection.watchSeconds ?? 600 });

  const ending = new AbortController();
  const onAbort = (): void => ending.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let dead: Error | undefined;
  let heardAt = clock.now();
  let missing = 0;
  let cancelCheck = (): void => {};
  const die = (why: string): void => {
    dead = new Error(`GET ${path}: ${why}; the connection is held to be dead`);
    ending.abort(dead);
  };
  // One timer a while, not one an event: it looks how long the silence has been.
  const check = (after: number): void => {
    cancelCheck = clock.after(after, () => {
      const silent = clock.now() - heardAt;
      if (silent >= stall) return die(`nothing heard for ${silent} ms`);
      const silentServer = clock.now() - transport.heardAt;
      if (silentServer < silence) {
        missing = 0;
        return check(Math.min(silence - silentServer, stall - silent));
      }
      transport.signOfLife().then(
        () => {
          missing = 0;
          if (!ending.signal.aborted) check(Math.min(silence, Math.max(0, stall - (clock.now() - heardAt))));
        },
        (error: Error) => {
          missing += 1;
          if (ending.signal.aborted) return;
          if (missing < SIGNS) check(AFTER_NO_SIGN);
          else die(`the server gives no sign of life (${error.message})`);
        },
      );
    });
  };
  try {
    const answer = await transport.stream({ method: "GET", path, signal: ending.signal });
    const heard = (): void => {
      transport.heard();
      heardAt = transport.heardAt;
    };
    heard();
    check(silence);
    opened();
    for await (const line of linesOf(answer, connection.lineLimit ?? 16 * 1024 * 1024, heard)) {
      const event = eventOf<T>(line);
      if (event.type === "ERROR") {
        const status = event.object as unknown as Status;
        throw ApiError.fromStatus(status, status.code ?? 500);
      }
      yield event;
      if (signal.aborted) return;
    }
  } catch (error) {
    if (signal.aborted) return;
    if (dead !== undefined) throw dead;
    throw error instanceof ApiError || (error instanceof Error && error.message.startsWith("GET "))
      ? error
      : new Error(`GET ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    cancelCheck();
    signal.removeEventListener("abort", onAbort);
    ending.abort(new Error("the watch has ended"));
  }
}
