import assert from "node:assert/strict";
import { test } from "node:test";
import { denyServiceExternalIPs } from "../../src/apiserver/admission/deny-service-external-ips.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import { createCluster } from "./cluster.ts";

const SERVICES = "/api/v1/namespaces/default/services";

void test("SVC-304: external IPs that are there already may stay, move and go, and none may come", async (t) => {
  const store = memoryStore();
  const lenient = await createCluster({ store });
  const strict = await createCluster({ store, admissions: [denyServiceExternalIPs] });
  t.after(() => Promise.all([lenient.close(), strict.close()]));
  const made = await lenient.ask("POST", SERVICES, {
    metadata: { name: "web" },
    spec: { type: "ClusterIP", clusterIP: "None", ports: [{ port: 80 }], externalIPs: ["192.0.2.1", "192.0.2.2"] },
  });
  assert.equal(made.code, 201, made.text);
  const put = (externalIPs: string[], labels: object) =>
    strict.ask("PUT", `${SERVICES}/web`, {
      ...made.body,
      metadata: { name: "web", labels },
      spec: { ...made.body.spec, externalIPs },
    });
  const rows: [what: string, externalIPs: string[], code: number][] = [
    ["kept", ["192.0.2.1", "192.0.2.2"], 200],
    ["in another order", ["192.0.2.2", "192.0.2.1"], 200],
    ["one more", ["192.0.2.2", "192.0.2.1", "192.0.2.3"], 403],
    ["one removed", ["192.0.2.2"], 200],
    ["the removed one back", ["192.0.2.2", "192.0.2.1"], 403],
    ["another instead", ["192.0.2.9"], 403],
    ["all removed", [], 200],
    ["one back", ["192.0.2.2"], 403],
  ];
  for (const [what, externalIPs, code] of rows) {
    const answered = await put(externalIPs, { row: String(rows.findIndex(([row]) => row === what)) });
    assert.equal(answered.code, code, `${what}: ${answered.text}`);
  }
});
