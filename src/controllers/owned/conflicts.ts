import { isApiError } from "../../api/status.ts";
import type { WorkQueueOptions } from "../../client/work-queue.ts";

/** Milliseconds after which work is done again, should nothing have woken it before. */
const AT_LATEST = 1000;

/**
 * The same work, for which a conflict is no failure. It says that somebody has written what our cache does not show yet; when
 * it does, the work is woken by that, and neither a moment earlier nor later would help.
 */
export const waitingOutConflicts =
  (work: WorkQueueOptions["work"], again: (key: string, milliseconds: number) => void): WorkQueueOptions["work"] =>
  async (key, signal) => {
    try {
      await work(key, signal);
    } catch (error) {
      if (!isApiError(error, "Conflict")) throw error;
      again(key, AT_LATEST);
    }
  };
