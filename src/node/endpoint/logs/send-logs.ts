import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Milliseconds after which a log that says nothing yet is answered with its head, so that the client knows it is there. */
const SILENCE = 250;

async function* from(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done === true) return;
  yield first.value;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/**
 * Sends a log as it comes, as fast as the client reads. Throws what the log throws before it said anything; after that a failure cuts
 * the answer off. A client that goes is no failure.
 */
export async function sendLogs(
  open: (signal: AbortSignal) => AsyncIterable<Buffer>,
  answer: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  answer.once("close", () => gone.abort());
  const chunks = open(gone.signal)[Symbol.asyncIterator]();
  const begin = (): void => {
    if (answer.headersSent || answer.destroyed) return;
    answer.writeHead(200, { "content-type": "text/plain" });
    answer.flushHeaders();
  };
  const timer = setTimeout(begin, SILENCE);
  try {
    const first = await chunks.next();
    clearTimeout(timer);
    begin();
    await pipeline(Readable.from(from(first, chunks), { objectMode: false }), answer);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (answer.headersSent) answer.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    gone.abort();
    await chunks.return?.();
  }
}
