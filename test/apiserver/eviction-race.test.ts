import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { times } from "../lab/counts.ts";
import { createCluster } from "./cluster.ts";

const PODS = "/api/v1/namespaces/default/pods";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

const pause = async (): Promise<void> => {
  for (let left = Math.floor(Math.random() * 4); left > 0; left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** What others write is heard of a little later. */
const farAway = (store: Store): Store => ({
  ...store,
  get: (key) => pause().then(() => store.get(key)),
  list: (prefix, options) => pause().then(() => store.list(prefix, options)),
  write: (conditions, operations) => pause().then(() => store.write(conditions, operations)),
});

void test("two servers never both take the last disruption of a budget, and none is taken for a pod that stays", async () => {
  const store = memoryStore();
  const servers = [await createCluster({ store: farAway(store) }), await createCluster({ store: farAway(store) })];
  const [first] = servers;
  try {
    for (let round = 0; round < times(5, 50); round += 1) {
      const app = `r${round}`;
      const allowed = 1 + (round % 3);
      const names = Array.from({ length: 6 }, (_, index) => `${app}-${index}`);
      for (const name of names) {
        const spec = { nodeName: "nowhere", containers: [{ name: "c", image: "i" }] };
        assert.equal((await first!.ask("POST", PODS, { metadata: { name, labels: { app } }, spec })).code, 201);
        const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
        assert.equal((await first!.ask("PATCH", `${PODS}/${name}/status`, { status }, MERGE)).code, 200);
      }
      const spec = { minAvailable: 1, selector: { matchLabels: { app } } };
      assert.equal((await first!.ask("POST", BUDGETS, { metadata: { name: app }, spec })).code, 201);
      const status = { observedGeneration: 1, disruptionsAllowed: allowed, currentHealthy: 6, desiredHealthy: 1 };
      assert.equal((await first!.ask("PATCH", `${BUDGETS}/${app}/status`, { status }, MERGE)).code, 200);
      const answers = await Promise.all(
        names.map((name, index) =>
          servers[index % 2]!.ask("POST", `${PODS}/${name}/eviction`, { kind: "Eviction", metadata: { name } }),
        ),
      );
      const codes = answers.map(({ code }) => code);
      const evicted = names.filter((_, index) => codes[index] === 201);
      assert.equal(evicted.length, allowed, codes.join());
      assert.ok(
        codes.every((code) => code === 201 || code === 429),
        codes.join(),
      );
      const { body } = await first!.ask("GET", `${BUDGETS}/${app}`);
      assert.equal(body.status.disruptionsAllowed, 0);
      assert.deepEqual(Object.keys(body.status.disruptedPods).sort(), evicted);
      for (const name of names) {
        const { metadata } = (await first!.ask("GET", `${PODS}/${name}`)).body;
        assert.equal(metadata.deletionTimestamp !== undefined, evicted.includes(name), name);
      }
    }
  } finally {
    for (const server of servers) await server.close();
  }
});
