import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINT_FLAGS, endpointFlags } from "./endpoint-flags.ts";
import { readFlags } from "./flags.ts";

const read = (...argv: string[]) => endpointFlags(readFlags("up", ENDPOINT_FLAGS, argv));

void test("CTL-053: the flags of the endpoint controllers, by their names and units", () => {
  assert.deepEqual(read(), {});
  assert.deepEqual(
    read(
      "--max-endpoints-per-slice",
      "7",
      "--endpoint-updates-batch-period=1m0.5s",
      "--endpointslice-updates-batch-period",
      "0",
    ),
    { maxEndpointsPerSlice: 7, endpointUpdatesBatchPeriod: 60_500, endpointSliceUpdatesBatchPeriod: 0 },
  );
});

void test("CTL-053: what they cannot be is refused, with what they can", () => {
  for (const [argv, said] of [
    [
      ["--max-endpoints-per-slice", "0"],
      /--max-endpoints-per-slice: it is 0; it should be a whole number from 1 to 1000/,
    ],
    [["--concurrent-endpoint-syncs", "many"], /--concurrent-endpoint-syncs: "many" is not a whole number/],
    [["--endpoint-updates-batch-period", "1"], /"1" is not a duration such as 500ms/],
  ] as const) {
    assert.throws(() => read(...argv), said);
  }
});
