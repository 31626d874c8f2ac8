import type { Clock } from "../../../observe/clock.ts";

/**
 * Lets so many lines through in a second, and says then how many it did not: a log is read by people and written to a
 * disk, and must not cost more than the answers it tells of. Whatever goes wrong while writing is passed over.
 */
export function bounded(
  perSecond: number,
  clock: Clock,
  leftOut: (count: number) => void,
): (write: () => void) => void {
  let left = perSecond;
  let over = 0;
  let isWaiting = false;
  const quietly = (write: () => void): void => {
    try {
      write();
    } catch {
      // A full disk, a closed pipe: answers go on.
    }
  };
  return (write) => {
    if (!isWaiting) {
      isWaiting = true;
      clock.after(1000, () => {
        isWaiting = false;
        left = perSecond;
        const count = over;
        over = 0;
        if (count > 0) quietly(() => leftOut(count));
      });
    }
    if (left === 0) {
      over += 1;
      return;
    }
    left -= 1;
    quietly(write);
  };
}
