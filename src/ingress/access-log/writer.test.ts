import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "./line.ts";
import { createLineWriter, type TakeText } from "./writer.ts";

/** A clock whose timers are called by hand. */
function handClock() {
  const timers = new Set<() => void>();
  return {
    now: () => 0,
    after(_: number, callback: () => void) {
      timers.add(callback);
      return () => void timers.delete(callback);
    },
    pass() {
      const due = [...timers];
      timers.clear();
      for (const callback of due) callback();
    },
  };
}

void test("lines are taken together, in order, after a moment; nothing is written twice", () => {
  const clock = handClock();
  const taken: string[] = [];
  const writer = createLineWriter((text, done) => {
    taken.push(text);
    done();
  }, clock);
  writer.write("a\n");
  writer.write("b\n");
  assert.deepEqual(taken, []);
  clock.pass();
  assert.deepEqual(taken, ["a\nb\n"]);
  clock.pass();
  assert.deepEqual(taken, ["a\nb\n"]);
});

void test("a reader that takes nothing loses lines beyond a bound, and those are counted", async () => {
  const clock = handClock();
  const dones: Parameters<TakeText>[1][] = [];
  const writer = createLineWriter((_, done) => void dones.push(done), clock);
  const line = `${"x".repeat(1023)}\n`;
  for (let count = 0; count < 20_000; count++) writer.write(line);
  assert.equal(dones.length, 1, "one piece is under way");
  assert.ok(writer.lost > 3000 && writer.lost < 4000, String(writer.lost));
  const flushed = writer.flush();
  while (dones.length > 0) dones.shift()!();
  await flushed;
});

void test("what cannot be written is counted as lost, and later lines are tried again", () => {
  const clock = handClock();
  let fails = true;
  const taken: string[] = [];
  const writer = createLineWriter((text, done) => {
    if (fails) done(new Error("no space left on device"));
    else {
      taken.push(text);
      done();
    }
  }, clock);
  writer.write("a\n");
  clock.pass();
  fails = false;
  writer.write("b\n");
  clock.pass();
  assert.deepEqual([taken, writer.lost], [["b\n"], 1]);
});

void test("a request is one line of JSON; what there was not is left out, and line breaks stay within", () => {
  const bare = {
    at: 0,
    duration: 0.0012345678,
    client: "10.0.0.1",
    protocol: "HTTP/1.1",
    tls: false,
    method: "GET",
    host: "a.example",
    target: "/x?y=\n",
    status: 404,
    received: 0,
    sent: 9,
    userAgent: undefined,
    referer: undefined,
    requestId: "1",
    route: undefined,
    backend: undefined,
  } as const;
  const line = lineOf(bare);
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.deepEqual(JSON.parse(line), {
    time: "1970-01-01T00:00:00.000Z",
    remote_addr: "10.0.0.1",
    method: "GET",
    host: "a.example",
    uri: "/x?y=\n",
    protocol: "HTTP/1.1",
    tls: false,
    status: 404,
    request_time: 0.001235,
    request_length: 0,
    bytes_sent: 9,
    req_id: "1",
  });
});
