import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";

describe("cluster DNS in a whole system", () => {
  let lab: Lab;
  let fairlead: Fairlead;
  before(async () => {
    lab = await createLab();
    fairlead = await bringUp(await lab.add("h1"), { flags: ["--private"] });
  });
  after(async () => {
    await fairlead?.end();
    await lab?.close();
  });

  test("DNS-131, DNS-133: /ready, /health and /metrics are at the port metrics of Service kube-dns", async () => {
    const get = async (path: string): Promise<string> => {
      const url = `http://kube-dns.kube-system:9153${path}`;
      const { stdout } = await fairlead.shell("curl", ["-s", "--max-time", "5", "-w", "\n%{http_code}", url]);
      return stdout;
    };
    await until("/ready", async () => (await get("/ready")) === "OK\n200", { seconds: 60 });
    assert.equal(await get("/health"), "OK\n200");
    const metrics = await get("/metrics");
    assert.match(metrics, /\n200$/);
    assert.match(metrics, /^coredns_dns_requests_total\{/m);
    // How old what it answers from is: names of the cluster are known since /ready.
    assert.match(metrics, /^fairlead_dns_view_age_seconds \d/m);
  });
});
