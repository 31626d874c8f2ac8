import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../observe/clock.ts";
import { exchangeTcp, exchangeUdp } from "./exchange.ts";

const QUERY = Buffer.from("000101000000000000000000", "hex");

for (const [transport, exchange] of [
  ["UDP", exchangeUdp],
  ["TCP", exchangeTcp],
] as const) {
  void test(`an upstream resolver that no packet can be sent to fails at once, over ${transport}`, async () => {
    // The kernel refuses a broadcast address whatever routes there are, as it refuses any address without one.
    const began = performance.now();
    await assert.rejects(
      exchange(QUERY, QUERY.length, { address: "255.255.255.255", port: 53 }, 20_000, systemClock),
      /connect/,
    );
    assert.ok(performance.now() - began < 10_000);
  });
}
