/**
 * Splits a byte stream into lines. Throws when a line is longer than `limit` bytes, or when the stream ends within a line:
 * half an object must never be taken for a whole one. `arrived` is called with each piece of the stream.
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  limit: number,
  arrived: () => void = () => {},
): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    arrived();
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      size += end - start;
      if (size > limit) throw new Error(`a line of the watch is longer than ${limit} bytes`);
      pending.push(chunk.subarray(start, end));
      const line = pending.length === 1 ? pending[0]!.toString("utf8") : Buffer.concat(pending, size).toString("utf8");
      pending = [];
      size = 0;
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start < chunk.length) {
      size += chunk.length - start;
      if (size > limit) throw new Error(`a line of the watch is longer than ${limit} bytes`);
      pending.push(chunk.subarray(start));
    }
  }
  if (size > 0) throw new Error(`the watch ended in the middle of a line, after ${size} bytes of it`);
}
