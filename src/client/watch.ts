import type { KubeObject, Resource, WatchEvent } from "../api/object.ts";
import { ApiError } from "../api/status.ts";
import type { Status } from "../api/generated/types.ts";
import { systemClock } from "../observe/clock.ts";
import type { WatchParameters } from "./client.ts";
import type { Connection } from "./connection.ts";
import { linesOf } from "./lines.ts";
import { collectionPath, queryOf } from "./paths.ts";
import type { Transport } from "./transport.ts";

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
 * breaks, is silent for longer than `connection.stall`, or tells an ERROR (as the ApiError that its Status means).
 */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  connection: Connection,
  resource: Resource,
  parameters: WatchParameters,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  if (signal.aborted) return;
  const clock = connection.clock ?? systemClock;
  const stall = connection.stall ?? 150_000;
  const { namespace, ...rest } = parameters;
  const path =
    collectionPath(resource, namespace) +
    queryOf({ ...rest, watch: true, allowWatchBookmarks: true, timeoutSeconds: connection.watchSeconds ?? 600 });

  const ending = new AbortController();
  const onAbort = (): void => ending.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let stalled: Error | undefined;
  let heardAt = clock.now();
  let cancelCheck = (): void => {};
  // One timer a stall period, not one an event: it looks how long the silence has been.
  const check = (after: number): void => {
    cancelCheck = clock.after(after, () => {
      const silent = clock.now() - heardAt;
      if (silent < stall) return check(stall - silent);
      stalled = new Error(`GET ${path}: nothing heard for ${silent} ms; the connection is held to be dead`);
      ending.abort(stalled);
    });
  };
  try {
    const answer = await transport.stream({ method: "GET", path, signal: ending.signal });
    heardAt = clock.now();
    check(stall);
    for await (const line of linesOf(answer, connection.lineLimit ?? 16 * 1024 * 1024)) {
      heardAt = clock.now();
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
    if (stalled !== undefined) throw stalled;
    throw error instanceof ApiError || (error instanceof Error && error.message.startsWith("GET "))
      ? error
      : new Error(`GET ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    cancelCheck();
    signal.removeEventListener("abort", onAbort);
    ending.abort(new Error("the watch has ended"));
  }
}
