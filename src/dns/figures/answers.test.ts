import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "../../observe/metrics.ts";
import type { Query } from "../wire/query.ts";
import { answerFigures } from "./answers.ts";

const query = (type: number): Query => ({
  rcode: 0,
  end: 30,
  hash: 0,
  isLower: true,
  type,
  udpSize: undefined,
  dnssecOk: false,
});

void test("DNS-133: durations are told in seconds, in ranges from a quarter of a millisecond to eight seconds", async () => {
  const metrics = createMetrics();
  const figures = answerFigures(metrics)("dns://:53", ".");
  for (const milliseconds of [0.01, 0.25, 0.3, 9000])
    figures.count(query(1), false, false, "", 0, 50, 70, milliseconds);
  const text = await metrics.text(() => {});
  const line = (rest: string): string => `coredns_dns_request_duration_seconds_${rest}\n`;
  const labels = 'server="dns://:53",zone=".",view=""';
  for (const each of [
    line(`bucket{${labels},le="0.00025"} 2`),
    line(`bucket{${labels},le="0.0005"} 3`),
    line(`bucket{${labels},le="8.192"} 3`),
    line(`bucket{${labels},le="+Inf"} 4`),
  ]) {
    assert.ok(text.includes(each), `${each} is missing in\n${text}`);
  }
  const sum = Number(/duration_seconds_sum\{.*\} (.*)\n/.exec(text)?.[1]);
  assert.ok(Math.abs(sum - 9.00056) < 1e-6, `${sum}`);
});

void test("DNS-133: HTTPS, SVCB and ANY are counted by name, types without one as other", async () => {
  const metrics = createMetrics();
  const figures = answerFigures(metrics)("dns://:53", ".");
  for (const type of [64, 65, 255, 13, 256, 65_535]) figures.count(query(type), true, true, "forward", 16, 50, 70, 1);
  const text = await metrics.text(() => {});
  const count = (type: string): number =>
    Number(new RegExp(`requests_total\\{.*proto="tcp",family="2",type="${type}"\\} (\\d+)`).exec(text)?.[1]);
  assert.deepEqual(["HTTPS", "SVCB", "ANY", "other"].map(count), [1, 1, 1, 3]);
  assert.match(text, /responses_total\{.*,rcode="BADVERS",plugin="forward"\} 6\n/);
});
