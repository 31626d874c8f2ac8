import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { silentLog } from "../../observe/log.ts";
import type { Fate, Trial } from "./dropped.ts";
import { watchTraffic } from "./watch-traffic.ts";

const trial = (port: number, fate: Fate): Trial => ({
  hook: "forward",
  from: "10.244.0.2",
  whom: "another pod",
  to: { ip: "10.244.0.3", port },
  fate,
});

/** Watches under a clock that lets time pass at once; each try goes as the next of `fates`, and an error is thrown. */
async function watched(fates: readonly (Fate | Error)[], stopAt = Number.POSITIVE_INFINITY) {
  const waits: number[] = [];
  const told: string[] = [];
  const heard: number[] = [];
  const stopping = new AbortController();
  const clock: Clock = {
    now: () => 0,
    after(milliseconds, callback) {
      waits.push(milliseconds);
      const timer = setImmediate(callback);
      return () => clearImmediate(timer);
    },
  };
  let tries = 0;
  await watchTraffic({
    clock,
    log: silentLog,
    nodeName: "n1",
    events: {
      event: (object, type, reason) => void told.push(`${object.kind} ${object.metadata.name} ${type} ${reason}`),
      flush: () => Promise.resolve(),
      stop: () => {},
    },
    attempt: () => {
      tries += 1;
      if (tries === stopAt) stopping.abort();
      const fate = fates[tries - 1]!;
      return fate instanceof Error ? Promise.reject(fate) : Promise.resolve([trial(40_000 + tries, fate)]);
    },
    onDropped: (sentences) => heard.push(sentences.length),
    signal: stopping.signal,
  });
  return { tries, waits, told, heard };
}

test("what passes is tried once, after the first pods' time, and nothing is said", async () => {
  assert.deepEqual(await watched(["answered"]), { tries: 1, waits: [2_000], told: [], heard: [] });
});

test("what is dropped is told once, tried again, and told when it passes", async () => {
  assert.deepEqual(await watched(["silence", "silence", "answered"]), {
    tries: 3,
    waits: [2_000, 15_000, 15_000],
    told: ["Node n1 Warning TrafficDropped", "Node n1 Normal TrafficPasses"],
    heard: [1, 0],
  });
});

test("another fate is news", async () => {
  const { told, heard } = await watched(["silence", "EHOSTUNREACH", "answered"]);
  assert.deepEqual(told.slice(0, 2), ["Node n1 Warning TrafficDropped", "Node n1 Warning TrafficDropped"]);
  assert.deepEqual(heard, [1, 1, 0]);
});

test("a try that somebody's stop cut short says nothing, and one that cannot be made is the last", async () => {
  assert.deepEqual((await watched(["silence"], 1)).told, []);
  assert.deepEqual(await watched([new Error("no address is left")]), { tries: 1, waits: [2_000], told: [], heard: [] });
});
