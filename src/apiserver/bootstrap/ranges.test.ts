import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceRanges } from "./ranges.ts";

void test("SVC-115, SVC-118: service ranges that cannot be are refused, each with its fault", () => {
  const cases: [string[], RegExp][] = [
    [[], /one range is needed/],
    [["10.0.0.0/24", "10.1.0.0/24"], /are both IPv4/],
    [["10.0.0.0/16", "10.0.1.0/24"], /overlap/],
    [["10.0.0.0/24", "fd00::/112", "10.1.0.0/24"], /or two of different families/],
    [["10.0.0.5/24"], /must be written as 10\.0\.0\.0\/24/],
    [["fd00::/63"], /too large/],
    [["10.0.0.0/29"], /too small/],
    [["ten"], /is not ADDRESS\/PREFIX/],
  ];
  for (const [ranges, words] of cases) assert.throws(() => readServiceRanges(ranges), words, ranges.join());
  assert.equal(readServiceRanges(["10.0.0.0/28", "fd00::/112"]).length, 2);
});
