/** As long as a timer may be set. */
const LONG = 2 ** 31 - 1;

/**
 * Keeps the process alive until the work is done. A promise alone does not, nor does a pending timer of the system's clock: a process that
 * only waits for a program to end would itself end first.
 */
export async function stayAwake<T>(work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {}, LONG);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
