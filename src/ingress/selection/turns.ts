import type { Candidate, Turns } from "./candidate.ts";

/** How far the turns of a backend have come. Goes on from plan to plan. */
export interface TurnTime {
  now: number;
}

interface Entry {
  readonly candidate: Candidate;
  /** Between two turns. */
  readonly interval: number;
  due: number;
}

/** Of weight 100, which is usual; so that times stay whole and equal weights never drift apart. */
const USUAL = 100;

/**
 * Weighted turns by earliest deadline: smooth, exact, and O(log n) for each. Where an endpoint is in its cycle goes on from plan to plan. A new
 * one joins somewhere within a cycle, so it gets its share from the start and no more; one that was passed over does not catch up.
 */
export function createTurns(candidates: readonly Candidate[], time: TurnTime, random: () => number): Turns {
  const heap: Entry[] = candidates.map((candidate) => {
    const interval = USUAL / candidate.endpoint.weight;
    const before = candidate.state.due;
    // After a change of weight the turn that it waits for may be too far away.
    const due = before === undefined ? time.now + interval * random() : Math.min(before, time.now + interval);
    candidate.state.due = due;
    return { candidate, interval, due };
  });
  heap.sort((one, other) => one.due - other.due);

  /** Moves the first, whose time has grown, down to its place. */
  const settle = (): void => {
    const entry = heap[0]!;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child += 1;
      if (heap[child]!.due >= entry.due) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  };

  return {
    next(may) {
      for (let passed = 0; passed < heap.length; passed++) {
        const entry = heap[0]!;
        time.now = Math.max(time.now, entry.due);
        entry.due = time.now + entry.interval;
        entry.candidate.state.due = entry.due;
        settle();
        if (may(entry.candidate)) return entry.candidate;
      }
      // Light ones may not have come to their turn among heavy ones that may not.
      return candidates.find(may);
    },
  };
}
