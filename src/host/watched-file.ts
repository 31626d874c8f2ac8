import { watch } from "node:fs";

/**
 * Calls back whenever the file changes, and every `pollMilliseconds` besides: the kernel's notices are quick but a
 * watch can be refused (limits) or be lost. Calls back soon after the start too. The returned function ends it.
 */
export function watchFile(path: string, pollMilliseconds: number, callback: () => void): () => void {
  let watcher: ReturnType<typeof watch> | undefined;
  try {
    watcher = watch(path, { persistent: false }, callback);
    watcher.on("error", () => watcher?.close());
  } catch {
    // Out of watches, or the file is not there: polling finds what there is to find.
  }
  const poll = setInterval(callback, pollMilliseconds);
  poll.unref();
  // Whatever was begun together with the watch most often shows soon, or fails soon without a word in the file.
  const first = [0, 100, 500].map((milliseconds) => setTimeout(callback, milliseconds).unref());
  return () => {
    watcher?.close();
    clearInterval(poll);
    for (const timer of first) clearTimeout(timer);
  };
}
