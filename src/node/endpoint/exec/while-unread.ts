/** Milliseconds between two signs of life. */
const BEAT = 1_000;

/**
 * Says something again and again while we do not read from a connection, until the returned function is called: the end of a connection
 * that is not read only shows when something is written to it.
 */
export function whileUnread(say: () => void): () => void {
  const timer = setInterval(say, BEAT);
  return () => clearInterval(timer);
}
