import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod } from "../../src/api/generated/types.ts";
import { nodes, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { addNode, addPod, addService, createWorld, eventAbout, eventually, runPod, slicesOf } from "./world.ts";

const MODE = "service.kubernetes.io/topology-mode";
const ZONE = "topology.kubernetes.io/zone";

const placed = (client: Client, name: string, node: string): Promise<Pod> =>
  addPod(client, name, { app: "a" }, { nodeName: node });
const labelNode = (client: Client, name: string, labels: Record<string, string | null>): Promise<unknown> =>
  client.patch(nodes, { name }, "merge", { metadata: { labels } });
const annotate = (client: Client, annotations: Record<string, string | null>): Promise<unknown> =>
  client.patch(services, { namespace: "default", name: "web" }, "merge", { metadata: { annotations } });

test("CTL-071, CTL-072, CTL-074, CTL-076: hints come when zones have machines, go when one is lost, and each is told once", async (t) => {
  const { client } = await createWorld(t);
  const equip = async (name: string, zone: string): Promise<void> => {
    await labelNode(client, name, { [ZONE]: zone });
    const node = await client.get<Node>(nodes, { name });
    await client.updateStatus(nodes, { ...node, status: { ...node.status, allocatable: { cpu: "2" } } });
  };
  await addNode(client, "node-2");
  for (const [name, node] of [
    ["a", "node-1"],
    ["b", "node-2"],
  ] as const) {
    await placed(client, name, node);
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await addService(client, "web", { app: "a" }, { [MODE]: "Auto" });
  const hints = (...wanted: (string | undefined)[]): Promise<unknown> =>
    eventually(
      `hints ${wanted.join()}`,
      () => slicesOf(client),
      (slices) => {
        const found = slices.flatMap(({ endpoints = [] }) => endpoints);
        return (
          found.length === 2 &&
          found
            .sort((one, other) => ((one.targetRef?.name ?? "") < (other.targetRef?.name ?? "") ? -1 : 1))
            .every((endpoint, index) => endpoint.hints?.forZones?.[0]?.name === wanted[index])
        );
      },
    );
  await hints(undefined, undefined);
  const refused = await eventAbout(client, "Service", "web", "TopologyAwareHintsDisabled");
  assert.deepEqual([refused.type, refused.count], ["Warning", 1]);
  await equip("node-1", "x");
  await equip("node-2", "y");
  await hints("x", "y");
  const given = await eventAbout(client, "Service", "web", "TopologyAwareHintsEnabled");
  assert.deepEqual([given.type, given.count], ["Normal", 1]);
  const lost = await client.get<Node>(nodes, { name: "node-2" });
  await client.updateStatus(nodes, {
    ...lost,
    status: { ...lost.status, conditions: [{ type: "Ready", status: "False" }] },
  });
  await hints(undefined, undefined);
  await client.updateStatus(nodes, { ...(await client.get<Node>(nodes, { name: "node-2" })), status: lost.status });
  await hints("x", "y");
  await annotate(client, { [MODE]: null });
  await hints(undefined, undefined);
});
