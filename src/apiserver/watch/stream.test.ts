import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import type { Answer } from "../http/exchange.ts";
import { LineStream } from "./stream.ts";

/** A client that takes what it is given only when told to. */
function slowClient() {
  const got: string[] = [];
  const waiting: (() => void)[] = [];
  const answer = new Writable({
    highWaterMark: 16,
    write: (chunk: Buffer, _encoding, done) => {
      got.push(chunk.toString());
      waiting.push(done);
    },
  });
  return { answer: answer as unknown as Answer, got, take: () => waiting.shift()?.() };
}

void test("a slow client gets every line in order, the kept ones together", async () => {
  const client = slowClient();
  const stream = new LineStream(client.answer, () => assert.fail("dropped"));
  for (let index = 0; index < 30; index++) stream.write([Buffer.from(`line ${index}\n`)]);
  while (client.got.join("").split("\n").length < 31) {
    client.take();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    client.got.join("").trim().split("\n"),
    Array.from({ length: 30 }, (_, index) => `line ${index}`),
  );
  assert.ok(client.got.length < 30);
});

void test("a client that lets too much wait is dropped once", () => {
  const client = slowClient();
  let dropped = 0;
  const stream = new LineStream(client.answer, () => dropped++);
  const line = Buffer.alloc(1024 * 1024);
  for (let index = 0; index < 20; index++) stream.write([line]);
  assert.equal(dropped, 1);
});
