/**
 * Waits for an effect: asks again until the answer is neither undefined nor false, and answers it.
 * The deadline is generous, because a busy machine is no fault; `what` says in the failure what was waited for.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { seconds = 30, every = 20 }: { seconds?: number; every?: number } = {},
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `waiting for ${what}: not seen within ${seconds} s${last === undefined ? "" : `; last failure: ${(last as Error).message}`}`,
        {
          cause: last,
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
