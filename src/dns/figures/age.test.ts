import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "../../observe/metrics.ts";
import { ageFigure } from "./age.ts";

test("the age of what DNS knows is a metric as soon as something is known", async () => {
  const metrics = createMetrics();
  let seconds: number | undefined;
  ageFigure(metrics, () => seconds);
  const text = (): Promise<string> => metrics.text((_name, error) => assert.fail(String(error)));
  assert.doesNotMatch(await text(), /^fairlead_dns_view_age_seconds/m);
  seconds = 2.5;
  assert.match(await text(), /^# TYPE fairlead_dns_view_age_seconds gauge$/m);
  assert.match(await text(), /^fairlead_dns_view_age_seconds 2\.5$/m);
});
