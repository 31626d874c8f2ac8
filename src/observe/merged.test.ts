import assert from "node:assert/strict";
import { test } from "node:test";
import { merged } from "./merged.ts";
import { createMetrics } from "./metrics.ts";

void test("metrics of two threads: each once, with the samples of both, told apart", async () => {
  const texts = await Promise.all(
    [1, 2].map(async (times) => {
      const metrics = createMetrics();
      metrics.counter("b_total", "Bs.", ["kind"]).of('a"} 1').value = times;
      metrics.gauge("a", "As.", []).of().value = times * 10;
      if (times === 2) metrics.gauge("c", "Cs.", []).of().value = 5;
      return metrics.text(() => {});
    }),
  );
  assert.equal(
    merged(texts.map((text, index) => ({ text, label: `worker="${index}"` }))),
    [
      "# HELP a As.",
      "# TYPE a gauge",
      'a{worker="0"} 10',
      'a{worker="1"} 20',
      "# HELP b_total Bs.",
      "# TYPE b_total counter",
      String.raw`b_total{kind="a\"} 1",worker="0"} 1`,
      String.raw`b_total{kind="a\"} 1",worker="1"} 2`,
      "# HELP c Cs.",
      "# TYPE c gauge",
      'c{worker="1"} 5',
      "",
    ].join("\n"),
  );
});
