import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { punchHole } from "../../host/punch-hole.ts";
import { silentLog } from "../../observe/log.ts";
import type { ContainerRecord } from "../state/pod-record.ts";
import { attemptOf } from "./attempt.ts";
import { keepLog, type LogLimits } from "./keep-log.ts";
import { decodeMarks, encodeMarks, LogTimes, marksFrom, offsetSince, timeAt, timesFile } from "./log-times.ts";
import { readLog, type ReadLogOptions } from "./read-log.ts";

let folder = "";
let count = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-logs-"));
});
after(() => rmSync(folder, { recursive: true }));

const fresh = (text = "", times: readonly (readonly [number, number])[] = []): string => {
  count += 1;
  const path = join(folder, `${count}`, "0.log");
  mkdirSync(join(folder, `${count}`));
  writeFileSync(path, text);
  if (times.length > 0) writeFileSync(timesFile(path), encodeMarks(times.map(([end, time]) => ({ end, time }))));
  return path;
};
const open = (path: string, options: Partial<ReadLogOptions> = {}, signal = new AbortController().signal) =>
  readLog(path, { over: () => true, ...options }, () => 9_000, signal);
async function read(path: string, options: Partial<ReadLogOptions> = {}): Promise<string> {
  let text = "";
  for await (const chunk of open(path, options)) text += chunk.toString();
  return text;
}
/** Waits for an effect; one that never comes fails by the deadline. */
async function until(wanted: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!wanted()) {
    if (Date.now() > deadline) throw new Error(`did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

void test("marks tell when a byte was said, and where what was said since begins", () => {
  const marks = decodeMarks(
    Buffer.concat([encodeMarks([10, 20, 30].map((end) => ({ end, time: end * 100 }))), Buffer.alloc(7)]),
  );
  assert.equal(marks.length, 3);
  assert.deepEqual(
    [9, 10, 19, 20, 29, 30].map((offset) => timeAt(marks, offset)),
    [1000, 2000, 2000, 3000, 3000, undefined],
  );
  assert.deepEqual(
    [0, 1000, 1001, 2000, 2001, 3000, 3001].map((time) => offsetSince(marks, time)),
    [10, 10, 10, 10, 20, 20, 30],
  );
  assert.deepEqual(marksFrom(marks, 25), [
    { end: 25, time: 2000 },
    { end: 30, time: 3000 },
  ]);
  assert.deepEqual(marksFrom(marks, 30), [{ end: 30, time: 3000 }]);
});

void test("tail, since, limit and timestamps, each and together; the limit counts the times", async () => {
  const path = fresh("one\ntwo\nthree\nfour", [
    [0, 0],
    [4, 1000],
    [8, 2000],
    [14, 3000],
  ]);
  const stamp = (time: number): string => new Date(time).toISOString().replace("Z", "000Z");
  assert.equal(await read(path), "one\ntwo\nthree\nfour");
  assert.equal(await read(path, { tailLines: 2 }), "three\nfour");
  assert.equal(await read(path, { tailLines: 0 }), "");
  assert.equal(await read(path, { tailLines: 9 }), "one\ntwo\nthree\nfour");
  assert.equal(await read(path, { since: 1001 }), "two\nthree\nfour");
  assert.equal(await read(path, { since: 3001 }), "four", "what is not written down yet is from now");
  assert.equal(await read(path, { since: 2000, tailLines: 1 }), "four");
  assert.equal(await read(path, { since: 3000, tailLines: 4 }), "three\nfour");
  assert.equal(await read(path, { limitBytes: 5 }), "one\nt");
  assert.equal(
    await read(path, { timestamps: true }),
    [`${stamp(1000)} one`, `${stamp(2000)} two`, `${stamp(3000)} three`, `${stamp(9000)} four`].join("\n"),
  );
  assert.equal(await read(path, { timestamps: true, limitBytes: 30 }), `${stamp(1000)} on`);
});

void test("since begins at a line, wherever the program cut its writes", async () => {
  const path = fresh("one\ntwo\nthree\n", [
    [0, 0],
    [6, 1000],
    [14, 2000],
  ]);
  assert.equal(await read(path, { since: 1500 }), "three\n");
});

void test("the last lines of a file of 300 MB, nearly all of it a hole, are found from its end", async () => {
  const path = fresh();
  truncateSync(path, 300_000_000);
  appendFileSync(path, "\nlast but one\nlast\n");
  assert.equal(await read(path, { tailLines: 2 }), "last but one\nlast\n");
});

void test("a log that is read to its end ends there though its program goes on", async () => {
  const path = fresh("x\n".repeat(100_000));
  let length = 0;
  for await (const chunk of open(path, { over: () => false })) {
    length += chunk.length;
    appendFileSync(path, "y\n".repeat(chunk.length));
  }
  assert.equal(length, 200_000);
});

void test("a keeper writes down within milliseconds when lines were said, and does nothing while none is", async () => {
  const path = fresh();
  const keeper = keepLog(path, { log: silentLog, punchHole });
  const said: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    said.push(Date.now());
    appendFileSync(path, `line ${index}\n`);
  }
  await until(() => decodeMarks(readFileSync(timesFile(path))).at(-1)?.end === statSync(path).size, "the last mark");
  const size = statSync(timesFile(path)).size;
  const lines = (await read(path, { timestamps: true })).trim().split("\n");
  const off = lines.map((line, index) => Date.parse(line.split(" ")[0]!) - said[index]!);
  assert.equal(lines.length, 20);
  // The file's own clock ticks every 4 ms or so.
  assert.ok(
    off.every((each) => each >= -10 && each <= 50),
    off.join(" "),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(statSync(timesFile(path)).size, size);
  keeper.stop();
});

const SMALL: LogLimits = { most: 100_000, left: 60_000 };

/** Appends numbered lines; `each` is called after every few. */
async function speak(path: string, each: (wanted: readonly string[]) => Promise<void>): Promise<string[]> {
  const wanted: string[] = [];
  for (let index = 0; index < 400; index += 1) {
    const lines = Array.from({ length: 20 }, (_, number) => `line ${index * 20 + number} ${"x".repeat(30)}`);
    wanted.push(...lines);
    appendFileSync(path, `${lines.join("\n")}\n`);
    await each(wanted);
  }
  return wanted;
}

void test("a log beyond its limit is given back to the disk up to a line; its follower misses nothing", async () => {
  const path = fresh();
  const keeper = keepLog(path, { log: silentLog, punchHole, limits: SMALL });
  let isOver = false;
  const heard: string[] = [];
  const following = (async () => {
    let pending = "";
    for await (const chunk of open(path, { follow: true, over: () => isOver })) {
      const lines = (pending + chunk.toString()).split("\n");
      pending = lines.pop()!;
      heard.push(...lines);
    }
  })();
  // As fast as the follower reads: what is given back unread is gone for it too.
  const wanted = await speak(path, (all) => until(() => heard.length === all.length, `line ${all.length}`));
  isOver = true;
  await following;
  assert.deepEqual(heard, wanted);
  keeper.stop();
  const kept = await read(path);
  assert.ok(kept.length >= 50_000 && kept.length <= 110_000, `${kept.length} bytes are kept`);
  assert.ok(wanted.join("\n").endsWith(kept.trimEnd()), "what is kept is the end, from the beginning of a line");
  assert.ok(statSync(path).blocks * 512 <= 130_000, `${statSync(path).blocks * 512} bytes of the disk are used`);
  const times = new LogTimes(path);
  await times.refresh();
  assert.equal(times.marks.at(-1)?.end, statSync(path).size);
  assert.equal(times.begin + kept.length, statSync(path).size);
  assert.equal(await read(path, { tailLines: 100_000 }), kept);
  assert.equal(await read(path, { since: 1 }), kept);
});

void test("where the disk takes nothing back, a log beyond its limit begins anew", async () => {
  const path = fresh();
  const cannot = (): never => {
    throw new Error("Operation not supported");
  };
  const keeper = keepLog(path, { log: silentLog, punchHole: cannot, limits: SMALL });
  const seen = (): boolean => decodeMarks(readFileSync(timesFile(path))).at(-1)?.end === statSync(path).size;
  const wanted = await speak(path, () => until(seen, "the log to be looked at"));
  keeper.stop();
  const kept = await read(path);
  assert.ok(kept.length > 0 && statSync(path).size <= SMALL.most, `${statSync(path).size} bytes`);
  assert.ok(wanted.join("\n").endsWith(kept.trimEnd()));
});

void test("a program that cuts its own log loses what was, and is followed on", async () => {
  const path = fresh("before\n");
  const keeper = keepLog(path, { log: silentLog, punchHole });
  const stop = new AbortController();
  let text = "";
  const following = (async () => {
    for await (const chunk of open(path, { follow: true, over: () => false }, stop.signal)) text += chunk.toString();
  })();
  await until(() => text === "before\n", "the first line");
  truncateSync(path, 0);
  await until(() => decodeMarks(readFileSync(timesFile(path))).at(-1)?.end === 0, "the cut to be seen");
  appendFileSync(path, "after\n");
  await until(() => text === "before\nafter\n", "the line after the cut");
  stop.abort();
  await following;
  keeper.stop();
  assert.equal(await read(path), "after\n");
});

void test("the logs of starts before the last are taken away", () => {
  const path = fresh();
  const at = (name: string): string => join(path, "..", name);
  for (const name of ["1.log", "1.log.times", "2.log", "3.log"]) writeFileSync(at(name), "");
  keepLog(at("3.log"), { log: silentLog, punchHole }).stop();
  assert.deepEqual(readdirSync(join(path, "..")).toSorted(), ["2.log", "3.log", "3.log.times"]);
});

void test("a keeper of two hundred quiet logs costs next to nothing", async () => {
  const paths = Array.from({ length: 200 }, () => fresh("begun\n"));
  const keepers = paths.map((path) => keepLog(path, { log: silentLog, punchHole }));
  await until(() => paths.every((path) => statSync(timesFile(path)).size === 32), "all to be watched");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 100_000, `${(user + system) / 1000} ms of a core in a second`);
  for (const keeper of keepers) keeper.stop();
});

void test("the present log is that of the last start there was, and the previous that of the one before", () => {
  const ended = (attempt: number) => ({ exitCode: 1, containerID: `process://uid/main/${attempt}` });
  const memory = { restartCount: 0, failures: 0 };
  const cases: [string, ContainerRecord | undefined, present: number | undefined, previous: number | undefined][] = [
    ["nothing is known", undefined, undefined, undefined],
    ["the first start is under way", { ...memory, attempt: 0 }, undefined, undefined],
    ["the first runs", { ...memory, attempt: 0, started: {} }, 0, undefined],
    ["the first has ended", { ...memory, attempt: 0, started: {}, ended: ended(0) }, 0, undefined],
    ["it waits for its second", { ...memory, attempt: 0, started: {}, ended: ended(0), last: ended(0) }, 0, 0],
    ["the second start is under way", { ...memory, attempt: 1, last: ended(0) }, 0, 0],
    ["the second runs", { ...memory, attempt: 1, started: {}, last: ended(0) }, 1, 0],
    ["the second has ended", { ...memory, attempt: 1, started: {}, ended: ended(1), last: ended(0) }, 1, 0],
  ];
  for (const [name, record, present, previous] of cases) {
    assert.deepEqual([attemptOf(record, false), attemptOf(record, true)], [present, previous], name);
  }
});
