import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, Pod } from "../../src/api/generated/types.ts";
import { endpoints, pods, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { manualClock } from "../client/waiting.ts";
import { watched } from "./watched.ts";
import { addPod, addService, createWorld, eventually, runPod, shows } from "./world.ts";

const placed = (client: Client, name: string, node: string): Promise<Pod> =>
  addPod(client, name, { app: "a" }, { nodeName: node });

test("CTL-054, CTL-055: what does not concern endpoints brings about no sync; what is done is counted", async (t) => {
  const metrics = createMetrics();
  const { client } = await createWorld(t, { metrics });
  const value = async (name: string): Promise<number> => {
    const text = await metrics.text((metric, error) => assert.fail(`${metric}: ${String(error)}`));
    const line = text.split("\n").find((one) => one.startsWith(`endpoint_slice_controller_${name} `));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
  };
  const syncs = () => value('syncs{result="success"}');
  await addService(client, "web", { app: "a" });
  for (const name of ["a", "b"]) {
    await placed(client, name, "node-1");
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await shows(client, "a=true", "b=true");
  const before = await syncs();
  assert.ok(before > 0);
  for (let round = 0; round < 20; round += 1) {
    await client.patch(pods, { namespace: "default", name: "a" }, "merge", {
      metadata: { annotations: { round: `${round}` } },
    });
  }
  await runPod(client, "b", "10.1.0.98", false);
  await shows(client, "a=true", "b=false");
  // One that was under way may have been counted since, but not twenty.
  assert.ok((await syncs()) - before <= 3, "only what concerned b");
  await client.patch(services, { namespace: "default", name: "web" }, "merge", {
    spec: { trafficDistribution: "PreferClose" },
  });
  for (const [name, expected] of [
    ["num_endpoint_slices", 1],
    ["desired_endpoint_slices", 1],
    ["endpoints_desired", 2],
    ['changes{operation="create"}', 1],
    ['services_count_by_traffic_distribution{traffic_distribution="PreferClose"}', 1],
  ] as const) {
    await eventually(
      name,
      () => value(name),
      (found) => found === expected,
    );
  }
  assert.ok((await value('changes{operation="update"}')) > 0);
  const text = await metrics.text(() => {});
  for (const name of ["endpoints_added_per_sync", "endpoints_removed_per_sync", "endpointslices_changed_per_sync"]) {
    assert.match(text, new RegExp(`^# TYPE endpoint_slice_controller_${name} histogram$`, "m"));
  }
  assert.match(text, /^endpoint_slice_controller_endpoints_added_per_sync_sum 2$/m);
  assert.match(text, /changed_per_sync_count\{topology="Disabled",traffic_distribution=""\} [1-9]/);
});

test("a slice that is written again and again rests in between, and then shows what is newest", async (t) => {
  const clock = manualClock();
  let writes = 0;
  const { client } = await createWorld(t, { clock, through: watched(() => void (writes += 1)) });
  await addService(client, "web", { app: "a" });
  await placed(client, "a", "node-1");
  const become = async (ready: boolean): Promise<void> => {
    await runPod(client, "a", "10.1.0.1", ready);
    // The Endpoints of one pod hardly rest: when they have heard of it, so has the slices' controller.
    await eventually(
      `Endpoints that are ready: ${ready}`,
      () => client.get<Endpoints>(endpoints, { namespace: "default", name: "web" }).catch(() => undefined),
      (found) => found?.subsets?.[0]?.[ready ? "addresses" : "notReadyAddresses"]?.length === 1,
    );
  };
  for (let round = 0; round < 40; round += 1) await become(round % 2 === 0);
  assert.ok(writes >= 5 && writes <= 15, `${writes} writes while no time passed`);
  await become(true);
  clock.advance(2000);
  await shows(client, "a=true");
  await become(false);
  clock.advance(2000);
  await shows(client, "a=false");
});

test("many pods that turn ready together cost each slice a few writes, not one for each pod", async (t) => {
  const writes = new Map<string, number>();
  const { client } = await createWorld(t, {
    endpoints: { maxEndpointsPerSlice: 50 },
    through: watched(
      (_, { metadata }) => void writes.set(metadata.name ?? "", (writes.get(metadata.name ?? "") ?? 0) + 1),
    ),
  });
  const names = Array.from({ length: 400 }, (_, index) => `p${index}`);
  const all = (each: (name: string, index: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(names.map(each));
  await addService(client, "web", { app: "a" });
  await all((name) => placed(client, name, "node-1"));
  await all((name, index) => runPod(client, name, `10.1.${index >> 8}.${index & 255}`, false));
  await shows(client, ...names.map((name) => `${name}=false`).sort());
  writes.clear();
  await all((name, index) => runPod(client, name, `10.1.${index >> 8}.${index & 255}`));
  await shows(client, ...names.map((name) => `${name}=true`).sort());
  const total = [...writes.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`400 pods in 8 slices: ${total} writes`);
  assert.ok(total < 150, `${total} writes`);
});
