import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "./metrics.ts";

const never = (name: string, error: unknown): void => assert.fail(`${name}: ${String(error)}`);

void test("createMetrics: counters and gauges by name, each label's value escaped", async () => {
  const metrics = createMetrics();
  const requests = metrics.counter("b_total", "Requests,\nby path.", ["path", "code"]);
  requests.of("/a", "200").value++;
  requests.of("/a", "200").value++;
  requests.of('"\\\n', "500").value += 3;
  metrics.gauge("a", "Now.", []).of().value = -1.5;
  metrics.counter("unused_total", "Nobody counted.", ["x"]);
  assert.equal(
    await metrics.text(never),
    `# HELP a Now.
# TYPE a gauge
a -1.5
# HELP b_total Requests,\\nby path.
# TYPE b_total counter
b_total{path="/a",code="200"} 2
b_total{path="\\"\\\\\\n",code="500"} 3
`,
  );
});

void test("createMetrics: a histogram's buckets count all that is not above their bound", async () => {
  const metrics = createMetrics();
  const took = metrics.histogram("took_seconds", "How long.", ["verb"], [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) took.observe(value, "GET");
  assert.equal(
    await metrics.text(never),
    `# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{verb="GET",le="0.1"} 2
took_seconds_bucket{verb="GET",le="1"} 3
took_seconds_bucket{verb="GET",le="+Inf"} 4
took_seconds_sum{verb="GET"} 7.65
took_seconds_count{verb="GET"} 4
`,
  );
});

void test("createMetrics: a reading is taken when asked, and one that fails does not take the others with it", async () => {
  const metrics = createMetrics();
  let value = 1;
  metrics.read("gauge", "good", "Good.", ["x"], () => [[["y"], value]]);
  metrics.read("gauge", "bad", "Bad.", [], () => Promise.reject(new Error("no")));
  const failed: string[] = [];
  value = 2;
  assert.match(await metrics.text((name) => failed.push(name)), /^good\{x="y"\} 2$/m);
  assert.deepEqual(failed, ["bad"]);
});
