import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { clientKey } from "./client-key.ts";
import { createLeakyBuckets } from "./leaky-bucket.ts";
import { sendAllowance, sendPause } from "./pacing.ts";

test("in no stretch of time more is let in than the rate and the burst, and whoever keeps to the rate always is", () => {
  assert(
    property(
      integer({ min: 1, max: 50 }),
      integer({ min: 0, max: 20 }),
      array(integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 }),
      (perSecond, burst, pauses) => {
        const buckets = createLeakyBuckets(perSecond, burst, 10);
        const accepted: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          if (!buckets.fits("a", now)) continue;
          buckets.count("a", now);
          accepted.push(now);
        }
        for (let from = 0; from < accepted.length; from += 1) {
          for (let to = from; to < accepted.length; to += 1) {
            const seconds = (accepted[to]! - accepted[from]!) / 1000;
            ok(to - from + 1 <= burst + 1 + perSecond * seconds + 1e-6, `${to - from + 1} in ${seconds} s`);
          }
        }
        const steady = createLeakyBuckets(perSecond, burst, 10);
        for (let count = 0; count < 100; count += 1) {
          const at = Math.ceil((count * 1000) / perSecond);
          ok(steady.fits("a", at) || burst === 0);
          steady.count("a", at);
        }
      },
    ),
  );
});

test("whatever comes, no more are remembered than fit, and forgetting changes nothing for those who are known", () => {
  assert(
    property(
      array(
        record({ key: constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), pause: integer({ min: 0, max: 2000 }) }),
        { maxLength: 100 },
      ),
      (requests) => {
        const small = createLeakyBuckets(1, 2, 8);
        const large = createLeakyBuckets(1, 2, 1e9);
        let now = 0;
        for (const { key, pause } of requests) {
          now += pause;
          equal(small.fits(key, now), large.fits(key, now));
          if (!small.fits(key, now)) continue;
          small.count(key, now);
          large.count(key, now);
          ok(small.size <= 8);
        }
      },
    ),
  );
});

test("a million addresses fill no memory, and those that are idle go", () => {
  const buckets = createLeakyBuckets(10, 50, 1000);
  for (let count = 0; count < 1_000_000; count += 1) buckets.count(String(count), 0);
  equal(buckets.size, 1000);
  for (let count = 0; count < 1000; count += 1) buckets.count("a", 60_000);
  equal(buckets.size, 1);
});

test("a clock that goes back gives nothing away, and shuts nobody out", () => {
  const buckets = createLeakyBuckets(1, 0, 10);
  buckets.count("a", 10_000);
  equal(buckets.fits("a", 5000), false);
  equal(buckets.fits("a", 10_500), false);
  equal(buckets.fits("a", 11_000), true);
  const wide = createLeakyBuckets(1, 5, 10);
  wide.count("a", 3_600_000);
  equal(wide.fits("a", 0), true);
});

test("clients are addresses of IPv4, and networks of IPv6", () => {
  deepEqual(["192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::", "nobody:"].map(clientKey), [
    "192.0.2.1",
    "2001:db8::",
    "2001:db8::",
    "2001:db8:0:1::",
    "nobody:",
  ]);
});

test("a response goes at its rate after its first bytes", () => {
  const rate = { bytesPerSecond: 1000, after: 500 };
  equal(sendAllowance(rate, 0, 0), 750);
  equal(sendAllowance(rate, 750, 0), 0);
  equal(sendPause(rate, 750, 0), 250);
  equal(sendPause(rate, 0, 0), 1);
  equal(sendAllowance(rate, 750, 250), 250);
  equal(sendAllowance(rate, 100_000, 250), 0);
});

test("at any rate a response ends in its time, with a few waits a second", () => {
  assert(
    property(integer({ min: 1, max: 1e8 }), integer({ min: 0, max: 1e6 }), (bytesPerSecond, after) => {
      const rate = { bytesPerSecond, after };
      const whole = after + bytesPerSecond * 20;
      let elapsed = 0;
      let sent = 0;
      let waits = 0;
      for (;;) {
        sent += Math.min(sendAllowance(rate, sent, elapsed), whole - sent);
        if (sent >= whole) break;
        elapsed += sendPause(rate, sent, elapsed);
        waits += 1;
        ok(sendAllowance(rate, sent, elapsed) >= 1);
      }
      ok(elapsed >= 19_000 && elapsed <= 21_000 && waits <= 170, `${elapsed} ms, ${waits} waits`);
    }),
  );
});
