import assert from "node:assert/strict";
import { test } from "node:test";
import { cidrsOf, parseAddressRange, rangeContains, rangesOverlap } from "./addressRange.ts";

void test("a range is a CIDR, two addresses, or one", () => {
  for (const [text, cidrs] of [
    ["10.97.0.0/24", ["10.97.0.0/24"]],
    ["192.168.1.240-192.168.1.250", ["192.168.1.240/29", "192.168.1.248/31", "192.168.1.250/32"]],
    ["10.0.0.7", ["10.0.0.7/32"]],
    ["0.0.0.0-255.255.255.255", ["0.0.0.0/0"]],
    ["fd00::1-fd00::4", ["fd00::1/128", "fd00::2/127", "fd00::4/128"]],
  ] as const) {
    assert.deepEqual(cidrsOf(parseAddressRange(text)), cidrs, text);
  }
  const range = parseAddressRange("10.0.0.5-10.0.0.7");
  assert.deepEqual(
    ["10.0.0.4", "10.0.0.5", "10.0.0.7", "10.0.0.8", "fd00::1"].map((ip) => rangeContains(range, ip)),
    [false, true, true, false, false],
  );
  assert.ok(rangesOverlap(range, parseAddressRange("10.0.0.7-10.0.0.9")));
  assert.ok(!rangesOverlap(range, parseAddressRange("10.0.0.8-10.0.0.9")));
});

void test("what is no range is refused in words that say what one is", () => {
  for (const text of ["", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "10.0.0.1-10.0.0.2-10.0.0.3", "x", "10.0.0.0/33"]) {
    assert.throws(() => parseAddressRange(text), /reading a range of addresses: .* such as/, text);
  }
});
