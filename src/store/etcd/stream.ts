import type { Client, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { Clock } from "../../observe/clock.ts";
import { Compacted } from "../store.ts";
import { ALL, type Calls, type WatchAnswer, type WatchEvent } from "./calls.ts";
import { changesOf, type Changes } from "./entries.ts";
import { reasonOf } from "./failure.ts";

export interface StreamOptions {
  readonly calls: Calls;
  readonly clock: Clock;
  /** Milliseconds within which etcd must have taken the watch. */
  readonly timeoutMs: number;
  /** All changes after this revision are told. */
  readonly after: number;
  /** Ends the stream, which then resolves. */
  readonly signal: AbortSignal;
  /** etcd has taken the watch. */
  taken?(): void;
  /** Whole writes, in order, none left out. What it throws ends the stream. */
  take(changes: Changes): void;
}

/**
 * One watch of all keys, for as long as its connection lives. Rejects when it breaks, with {@link Compacted} when what it should begin
 * with is forgotten.
 *
 * All keys, because progress is then told by what happens: etcd's notices of progress come every ten minutes, those asked for may overtake
 * events (before 3.4.25 and 3.5.8), and a revision that is missing shows at once.
 */
export function streamChanges(client: Client, metadata: Metadata, options: StreamOptions): Promise<void> {
  const { calls, clock, after, signal } = options;
  const { path, requestSerialize, responseDeserialize } = calls.watch;
  // A member that lost its leader ends the watch, so that another one can be asked.
  metadata.set("hasleader", "true");
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (error: Error | undefined): void => {
      if (isOver) return;
      isOver = true;
      cancelTimer();
      signal.removeEventListener("abort", abort);
      call.cancel();
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = (): void => end(undefined);
    const cancelTimer = clock.after(options.timeoutMs, () => end(new Error("the watch was not taken in time")));
    let reached = after;
    /** Of an answer that comes in several messages. */
    let held: WatchEvent[] = [];

    const take = (answer: WatchAnswer): void => {
      if (answer.canceled === true) {
        const { compact_revision, cancel_reason = "the watch was canceled" } = answer;
        throw compact_revision ? new Compacted(reached, compact_revision) : new Error(cancel_reason);
      }
      if (answer.created === true) {
        cancelTimer();
        options.taken?.();
      }
      const events = answer.events ?? [];
      held = held.length === 0 ? [...events] : held.concat(events);
      if (answer.fragment === true || held.length === 0) return;
      const changes = changesOf(held, reached, reached === after);
      held = [];
      reached = changes.revision;
      options.take(changes);
    };

    call.on("data", (answer: WatchAnswer) => {
      if (isOver) return;
      try {
        take(answer);
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    });
    call.on("error", (error: ServiceError) => end(new Error(reasonOf(error), { cause: error })));
    call.on("end", () => end(new Error("etcd ended the watch")));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) return abort();
    const create_request = { key: ALL, range_end: ALL, start_revision: after + 1, prev_kv: true, fragment: true };
    call.write({ create_request });
  });
}
