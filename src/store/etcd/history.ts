import type { Clock } from "../../observe/clock.ts";
import { Compacted, Unavailable } from "../store.ts";
import type { Calls } from "./calls.ts";
import type { Changes } from "./entries.ts";
import type { Members } from "./members.ts";
import { streamChanges } from "./stream.ts";

export interface HistoryOptions {
  readonly members: Members;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Reads the changes after a revision, whole writes in order, until `take` answers true. Goes on at another member when one breaks off.
 * Throws {@link Compacted} when they are forgotten, {@link Unavailable} when nothing came for too long.
 */
export async function readHistory(
  { members, calls, clock, timeoutMs }: HistoryOptions,
  after: number,
  take: (changes: Changes) => boolean,
): Promise<void> {
  let reached = after;
  let lastProgress = clock.now();
  let isEnough = false;
  for (;;) {
    const { client, metadata, endpoint } = await members.open();
    const done = new AbortController();
    let cancel = (): void => {};
    const watchOver = (): void => {
      cancel = clock.after(timeoutMs, () => {
        if (clock.now() - lastProgress >= timeoutMs) done.abort();
        else watchOver();
      });
    };
    watchOver();
    try {
      await streamChanges(client, metadata, {
        calls,
        clock,
        timeoutMs,
        after: reached,
        signal: done.signal,
        take: (changes) => {
          reached = changes.revision;
          lastProgress = clock.now();
          if (!take(changes)) return;
          isEnough = true;
          done.abort();
        },
      });
      if (isEnough) return;
      throw new Unavailable(`etcd at ${members.names} tells nothing of its changes after revision ${reached}`);
    } catch (error) {
      if (error instanceof Compacted) throw new Compacted(after, error.compactRevision);
      if (error instanceof Unavailable || clock.now() - lastProgress >= timeoutMs) throw error;
      members.avoid(endpoint);
    } finally {
      cancel();
      client.close();
    }
  }
}
