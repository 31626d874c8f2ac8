import assert from "node:assert/strict";
import { test } from "node:test";
import { warnOfSkipped } from "./skipped.ts";

test("CTL-086: nothing skipped is nothing told; addresses that are none and those that are too many are told apart", () => {
  assert.deepEqual(warnOfSkipped({ invalid: 0, excess: 0 }, 1000), []);
  assert.deepEqual(warnOfSkipped({ invalid: 1, excess: 7 }, 1000), [
    {
      reason: "InvalidIPAddress",
      message: "1 address has no EndpointSlice: what stands there should be IPv4 or IPv6 addresses",
    },
    {
      reason: "TooManyAddressesToMirror",
      message: "7 addresses have no EndpointSlice: of each subset at most 1000 are mirrored",
    },
  ]);
});
