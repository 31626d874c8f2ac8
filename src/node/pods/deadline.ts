import type { Pod } from "../../api/generated/types.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Verdict } from "./status.ts";

export const DEADLINE_EXCEEDED: Verdict = {
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
};

/** When `activeDeadlineSeconds` are over, in milliseconds since the epoch; undefined where the pod has no such limit. */
function deadlineOf(pod: Pod, startTime: string): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  return seconds === undefined ? undefined : Date.parse(startTime) + seconds * 1000;
}

export interface Deadline {
  /** The pod is another, or its start time is known now. */
  arm(pod: Pod, startTime: string): void;
  disarm(): void;
}

/** Calls back once when a pod has been active for as long as it may be. */
export function deadline(clock: Clock, exceeded: () => void): Deadline {
  let armed: number | undefined;
  let cancel = (): void => {};
  return {
    arm(pod, startTime) {
      const at = deadlineOf(pod, startTime);
      if (at === armed) return;
      armed = at;
      cancel();
      cancel = at === undefined ? () => {} : clock.after(Math.max(0, at - clock.now()), exceeded);
    },
    disarm: () => cancel(),
  };
}
