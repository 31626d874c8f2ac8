import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOptions } from "./endpoint-options.ts";

test("CTL-036, CTL-053, CTL-086: what is not given is as kube-controller-manager has it", () => {
  assert.deepEqual(endpointOptions({ maxEndpointsPerSlice: 7 }), {
    endpointSliceUpdatesBatchPeriod: 0,
    endpointUpdatesBatchPeriod: 0,
    mirroringEndpointSliceUpdatesBatchPeriod: 0,
    concurrentServiceEndpointSyncs: 5,
    concurrentEndpointSyncs: 5,
    mirroringConcurrentServiceEndpointSyncs: 5,
    maxEndpointsPerSlice: 7,
    mirroringMaxEndpointsPerSubset: 1000,
  });
});

for (const [given, complaint] of [
  [{ maxEndpointsPerSlice: 0 }, "maxEndpointsPerSlice is 0; it should be a whole number from 1 to 1000"],
  [{ maxEndpointsPerSlice: 1001 }, "maxEndpointsPerSlice is 1001; it should be a whole number from 1 to 1000"],
  [
    { mirroringMaxEndpointsPerSubset: 1.5 },
    "mirroringMaxEndpointsPerSubset is 1.5; it should be a whole number from 1 to 1000",
  ],
  [
    { concurrentServiceEndpointSyncs: 51 },
    "concurrentServiceEndpointSyncs is 51; it should be a whole number from 1 to 50",
  ],
  [{ concurrentEndpointSyncs: 0 }, "concurrentEndpointSyncs is 0; it should be a whole number at least 1"],
  [{ endpointUpdatesBatchPeriod: -1 }, "endpointUpdatesBatchPeriod is -1; it should be a number at least 0"],
  [{ endpointUpdatesBatchPeriod: NaN }, "endpointUpdatesBatchPeriod is NaN; it should be a number at least 0"],
] as const) {
  test(`CTL-036, CTL-053: ${complaint}`, () => {
    assert.throws(() => endpointOptions(given), new RangeError(complaint));
  });
}
