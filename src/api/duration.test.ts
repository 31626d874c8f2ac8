import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf, humanDuration, parseDuration } from "./duration.ts";

const S = 1;
const M = 60;
const H = 3600;
const D = 24 * H;
const Y = 365 * D;

const table: [seconds: number, text: string][] = [
  [-2, "<invalid>"],
  [-1, "0s"],
  [0, "0s"],
  [5 * S, "5s"],
  [119 * S, "119s"],
  [2 * M, "2m"],
  [2 * M + 3, "2m3s"],
  [10 * M - 1, "9m59s"],
  [10 * M + 5, "10m"],
  [3 * H - 1, "179m"],
  [3 * H, "3h"],
  [3 * H + 5 * M, "3h5m"],
  [8 * H, "8h"],
  [47 * H + 59 * M, "47h"],
  [2 * D, "2d"],
  [2 * D + 3 * H, "2d3h"],
  [8 * D, "8d"],
  [45 * D, "45d"],
  [2 * Y - 1, "729d"],
  [2 * Y, "2y"],
  [2 * Y + 3 * D, "2y3d"],
  [8 * Y + 3 * D, "8y"],
];

for (const [seconds, text] of table) {
  void test(`${seconds} seconds are ${text}`, () => assert.equal(humanDuration(seconds * 1000), text));
}

void test("an object without a time has no age", () => {
  assert.equal(ageOf(undefined, 0), "<unknown>");
  assert.equal(ageOf("1970-01-01T00:00:00Z", 65_000), "65s");
});

test("durations are read as Go writes them", () => {
  for (const [text, milliseconds] of [
    ["30s", 30_000],
    ["1h15m", 4_500_000],
    ["1.5h", 5_400_000],
    ["300ms", 300],
    [".5s", 500],
    ["1.s", 1_000],
    ["1m0.5s", 60_500],
    ["2us", 0.002],
    ["2µs", 0.002],
    ["1ns", 0.000_001],
    ["0", 0],
    ["-2s", -2_000],
    ["+2s", 2_000],
    ["", undefined],
    ["30", undefined],
    ["s", undefined],
    [".s", undefined],
    ["1d", undefined],
    ["1 s", undefined],
    ["1s ", undefined],
    ["1.2.3s", undefined],
    ["--1s", undefined],
  ] as const) {
    assert.equal(parseDuration(text), milliseconds, text);
  }
});
