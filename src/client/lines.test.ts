import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { linesOf } from "./lines.ts";

async function* streamOf(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield chunk;
}

async function read(chunks: Buffer[], limit = 1000): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(streamOf(...chunks), limit)) lines.push(line);
  return lines;
}

test("lines are the same however the bytes are cut, within characters too", async () => {
  const words = fc.array(
    fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((text) => text.trim() !== "" && !text.includes("\n")),
  );
  await fc.assert(
    fc.asyncProperty(words, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = cuts[turn % cuts.length] ?? 1;
        chunks.push(bytes.subarray(at, at + length));
        at += length;
      }
      assert.deepEqual(await read(chunks), lines);
    }),
  );
});

test("empty lines are passed over", async () => {
  assert.deepEqual(await read([Buffer.from("\na\r\n\n")]), ["a\r"]);
});

test("a stream that ends within a line throws, after the whole lines", async () => {
  const lines: string[] = [];
  await assert.rejects(async () => {
    for await (const line of linesOf(streamOf(Buffer.from('{"a":1}\n{"b"')), 100)) lines.push(line);
  }, /ended in the middle of a line, after 4 bytes/);
  assert.deepEqual(lines, ['{"a":1}']);
});

test("a line over the limit throws before it is whole", async () => {
  await assert.rejects(read([Buffer.from("123456"), Buffer.from("789012")], 10), /longer than 10 bytes/);
  assert.deepEqual(await read([Buffer.from("1234567890\n")], 10), ["1234567890"]);
});
