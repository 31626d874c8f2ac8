import type { Http2Stream } from "node:http2";

/** Keeps a stream's end from being said. */
const never = (): void => {};

/**
 * Resets a stream of HTTP/2. Node ends it first; where trailers may follow and the connection is being written to just then, it asks a stream
 * for its trailers that is gone already, and ends the whole process (`Assertion failed: !this->is_destroyed()`, nodejs/node#41458). So what is
 * reset is not ended.
 */
export function resetStream(stream: Http2Stream, code: number): void {
  if (!stream.writableEnded) stream._final = never;
  stream.close(code);
}
