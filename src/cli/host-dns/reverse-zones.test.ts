import assert from "node:assert/strict";
import { test } from "node:test";
import { reverseZones } from "./reverse-zones.ts";

for (const [range, zones] of [
  ["10.96.0.0/16", ["96.10.in-addr.arpa"]],
  ["10.0.0.0/8", ["10.in-addr.arpa"]],
  ["10.96.0.0/15", ["96.10.in-addr.arpa", "97.10.in-addr.arpa"]],
  ["192.0.2.252/30", ["252", "253", "254", "255"].map((last) => `${last}.2.0.192.in-addr.arpa`)],
  ["fd00:10:244::/64", ["0.0.0.0.4.4.2.0.0.1.0.0.0.0.d.f.ip6.arpa"]],
  ["fd00:10::/31", ["0.1.0.0.0.0.d.f.ip6.arpa", "1.1.0.0.0.0.d.f.ip6.arpa"]],
] as const) {
  void test(`reverse names of ${range} end in ${zones.join(", ")}`, () => {
    assert.deepEqual(reverseZones(range), zones);
  });
}
