import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../src/client/connect.ts";
import { createCaches } from "../../src/controllers/caches.ts";
import { startQuota } from "../../src/controllers/quota/start.ts";
import { servedResources } from "../../src/controllers/served.ts";
import { silentLog } from "../../src/observe/log.ts";
import { createCluster } from "../apiserver/cluster.ts";
import { manualClock } from "../client/waiting.ts";
import { until } from "../lab/until.ts";

const ROOT = "/api/v1/namespaces/default";

void test("quotas are counted anew every five minutes, whatever their status says", async (t) => {
  const cluster = await createCluster();
  const client = createClient({ server: `https://127.0.0.1:${cluster.port}`, ca: cluster.ca, ...cluster.admin });
  const clock = manualClock();
  const environment = { client, clock, random: Math.random, log: silentLog };
  const caches = createCaches(environment);
  const part = await startQuota({ ...environment, caches }, await servedResources(client));
  t.after(async () => {
    await part.stop();
    caches.stop();
    client.close();
    await cluster.close();
  });
  const quota = `${ROOT}/resourcequotas/q`;
  const untilUsed = (secrets: string): Promise<true> =>
    until(`${secrets} secrets to be counted`, async () => {
      const { body } = await cluster.ask("GET", quota);
      return body.status.used?.secrets === secrets;
    });
  await cluster.ask("POST", `${ROOT}/secrets`, { metadata: { name: "s" } });
  await cluster.ask("POST", `${ROOT}/resourcequotas`, { metadata: { name: "q" }, spec: { hard: { secrets: "9" } } });
  await untilUsed("1");
  for (const wrong of ["7", "8"]) {
    const { body } = await cluster.ask("GET", quota);
    const written = await cluster.ask("PUT", `${quota}/status`, {
      ...body,
      status: { hard: { secrets: "9" }, used: { secrets: wrong } },
    });
    assert.equal(written.code, 200, written.text);
    // The count before must have ended for its successor to have been put off by five minutes.
    await until("five minutes to have passed for the next count", async () => {
      clock.advance(5 * 60 * 1000);
      return (await cluster.ask("GET", quota)).body.status.used.secrets === "1";
    });
  }
});
