import { equal } from "node:assert/strict";
import { test } from "node:test";
import { goDuration, parseGoDuration } from "./go-duration.ts";

for (const [text, milliseconds] of [
  ["0", 0],
  ["0s", 0],
  ["30s", 30_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["-2m", -120_000],
  ["24h0m0s", 86_400_000],
  ["250ms", 250],
  ["10µs", 0.01],
  ["", undefined],
  ["30", undefined],
  ["1d", undefined],
  ["s", undefined],
  ["1s ", undefined],
] as const) {
  test(`${JSON.stringify(text)} is ${milliseconds === undefined ? "no duration" : `${milliseconds} ms`}`, () => {
    equal(parseGoDuration(text), milliseconds);
  });
}

for (const text of ["0s", "30s", "1m30s", "24h0m0s", "500ms", "1.5s", "-2m0s", "10µs"]) {
  test(`${text} is written as it was read`, () => equal(goDuration(parseGoDuration(text)!), text));
}
