import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { watchRoom } from "./table-room.ts";

test("a table of connections that is nearly full or full is said once, and that it has room again", () => {
  const told: string[] = [];
  let due = (): void => {};
  let entries = 0;
  const watch = watchRoom({
    usage: () => ({ entries, limit: 1000 }),
    clock: { now: () => 0, after: (_, act) => ((due = act), () => (due = () => {})) },
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => undefined as never },
    tell: (type, reason, message) => told.push(`${type} ${reason} ${message.slice(0, 52)}`),
  });
  for (const count of [10, 900, 901, 950, 850, 1000, 1000, 990, 950, 950, 810, 800, 10]) {
    entries = count;
    due();
  }
  deepEqual(told, [
    "Warning ConntrackNearlyFull connection tracking holds 901 of 1000 connections; w",
    "Warning ConntrackFull connection tracking holds 1000 of 1000 connections: ",
    "Warning ConntrackNearlyFull connection tracking holds 950 of 1000 connections; w",
    "Normal ConntrackHasRoom connection tracking holds 800 of 1000 connections ag",
  ]);
  watch.stop();
});
