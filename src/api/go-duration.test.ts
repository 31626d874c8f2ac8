import { equal } from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "./duration.ts";
import { goDuration } from "./go-duration.ts";

for (const text of ["0s", "30s", "1m30s", "24h0m0s", "500ms", "1.5s", "-2m0s", "10µs"]) {
  test(`${text} is written as it was read`, () => equal(goDuration(parseDuration(text)!), text));
}
