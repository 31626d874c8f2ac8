import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, ServiceCIDR } from "../../src/api/generated/types.ts";
import type { Resource } from "../../src/api/object.ts";
import { nodes, serviceCIDRs } from "../../src/api/resources.ts";
import type { Client, ListParameters } from "../../src/client/client.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { watchOwnNode } from "../../src/proxy/node/own-node.ts";
import type { NodePlan } from "../../src/proxy/plan/plan.ts";
import { startProxy } from "../../src/proxy/proxy.ts";
import { createWorld, eventually } from "../controllers/world.ts";
import { Kept } from "./kept.ts";
import { nodePlan } from "./lab/objects.ts";

/** The same client, and which Nodes it was asked for. */
function listening(client: Client): { readonly client: Client; readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  const note = (resource: Resource, parameters?: ListParameters): void => {
    if (resource.plural === "nodes") asked.push(parameters?.fieldSelector);
  };
  const list: Client["list"] = (resource, parameters, ...rest) => {
    note(resource, parameters);
    return client.list(resource, parameters, ...rest);
  };
  return { client: { ...client, list }, asked };
}

test("PRX-003: of Nodes the proxy watches its own by name, and it follows the ranges of ServiceCIDR objects", async (t) => {
  const { client } = await createWorld(t);
  const made = (name: string): Node => ({ apiVersion: "v1", kind: "Node", metadata: { name } });
  await client.create(nodes, made("mine"));
  await client.create(nodes, made("other"));
  const { client: heard, asked } = listening(client);
  const own = watchOwnNode({
    client: heard,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    nodeName: "mine",
  });
  t.after(() => own.stop());
  const label = (name: string, zone: string): Promise<unknown> =>
    client.patch(nodes, { name }, "merge", { metadata: { labels: { "topology.kubernetes.io/zone": zone } } });
  await label("other", "far");
  await label("mine", "near");
  assert.ok(await own.until(({ zone }) => zone === "near", 30_000), "the zone of the own Node");
  assert.deepEqual([...new Set(asked)], ["metadata.name=mine"]);

  class Framed extends Kept {
    ranges: readonly string[] = [];
    override compileNode = (node: NodePlan): NodePlan => {
      this.ranges = node.serviceRanges;
      return node;
    };
  }
  const engine = new Framed();
  const proxy = await startProxy({
    client,
    engine,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    node: nodePlan({ serviceRanges: [] }),
  });
  t.after(() => proxy.stop());
  const range: ServiceCIDR = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "more" },
    spec: { cidrs: ["10.111.0.0/16"] },
  };
  await client.create(serviceCIDRs, range);
  const has = (what: string, wanted: boolean): Promise<unknown> =>
    eventually(
      what,
      async () => engine.ranges.includes("10.111.0.0/16"),
      (is) => is === wanted,
    );
  await has("the range of a new ServiceCIDR", true);
});

test("PRX-260, PRX-068: who waits for something of the own Node has it as soon as it is there, and is told when it is not", async (t) => {
  const { client } = await createWorld(t);
  await client.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "bare" } });
  const own = watchOwnNode({ client, clock: systemClock, random: () => 0, log: silentLog, nodeName: "bare" });
  t.after(() => own.stop());
  const wanted = ({ addresses }: typeof own.facts): boolean => addresses.length > 0;
  assert.equal(await own.until(wanted, 100), false, "no address in a tenth of a second");
  const waiting = own.until(wanted, 60_000);
  const addresses = [{ type: "InternalIP", address: "192.168.7.7" }];
  await client.patch<Node>(nodes, { name: "bare" }, "merge", { status: { addresses } }, { subresource: "status" });
  assert.equal(await waiting, true);
  assert.deepEqual(own.facts.addresses, ["192.168.7.7"]);
});
