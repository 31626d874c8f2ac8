import { test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { pods, services } from "../../src/api/resources.ts";
import { silentLog } from "../../src/observe/log.ts";
import { startProxy } from "../../src/proxy/proxy.ts";
import { manualClock } from "../client/waiting.ts";
import { addPod, createWorld, eventually, runPod, shows } from "../controllers/world.ts";
import { Kept } from "./kept.ts";
import { nodePlan } from "./lab/objects.ts";
import { shares } from "./plan-examples.ts";

test("what pods say of their share comes over their slices to the proxy, and a new pod of a slow Service to its share by and by", async (t) => {
  const { client } = await createWorld(t);
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "web", annotations: { "fairlead.dev/slow-start": "900ms" } },
    spec: { selector: { app: "a" }, clusterIP: "10.96.0.9", ipFamilies: ["IPv4"], ports: [{ port: 80 }] },
  });
  const run = async (number: number): Promise<void> => {
    await addPod(client, `p${number}`, { app: "a" }, { nodeName: "node-1" });
    await runPod(client, `p${number}`, `10.1.0.${number}`);
  };
  const say = (number: number, annotations: Record<string, string | null>): Promise<unknown> =>
    client.patch(pods, { namespace: "default", name: `p${number}` }, "merge", { metadata: { annotations } });

  const engine = new Kept();
  const clock = manualClock();
  await run(1);
  await shows(client, "p1=true");
  const show = (expected: string): Promise<unknown> =>
    eventually(
      `the engine is given ${expected}`,
      async () => shares(engine.plans.get("default/web")?.ports[0]?.cluster),
      (found) => found === expected,
    );
  const proxy = await startProxy({ client, engine, clock, random: () => 0, log: silentLog, node: nodePlan() });
  t.after(() => proxy.stop());
  await show("1×1");
  await run(2);
  await show("1×10 2×1");
  // The clock of the proxy stands still until it is told; less than five seconds, or it looks at its rules and plans anyway.
  clock.advance(200);
  await eventually(
    "the new pod has more of its share",
    async () => shares(engine.plans.get("default/web")?.ports[0]?.cluster),
    (found) => found !== "1×10 2×1" && found !== "1×1 2×1",
  );
  for (let step = 0; step < 20; step += 1) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await show("1×1 2×1");
  await say(2, { "fairlead.dev/weight": "25" });
  await show("1×4 2×1");
  await say(1, { "fairlead.dev/backup": "true" });
  await show("2×1");
  await say(1, { "fairlead.dev/backup": null });
  await say(2, { "fairlead.dev/weight": null });
  await show("1×1 2×1");
});
