import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUpstream } from "./upstream.ts";

void test("an upstream is an address, with port 53 unless told", () => {
  assert.deepEqual(parseUpstream("192.0.2.53"), { address: "192.0.2.53", port: 53 });
  assert.deepEqual(parseUpstream("192.0.2.53:5353"), { address: "192.0.2.53", port: 5353 });
  assert.deepEqual(parseUpstream("2001:db8::53"), { address: "2001:db8::53", port: 53 });
  assert.deepEqual(parseUpstream("[2001:db8::53]:5353"), { address: "2001:db8::53", port: 5353 });
});

for (const text of [
  "",
  "dns.test",
  "192.0.2.53:",
  "192.0.2.53:0",
  "192.0.2.53:65536",
  "[192.0.2.53]:53",
  "192.0.2.53/24",
]) {
  void test(`${JSON.stringify(text)} is refused by name`, () => {
    assert.throws(() => parseUpstream(text), new RegExp("reading an upstream resolver: .* is not IP, IPv4:PORT"));
  });
}
