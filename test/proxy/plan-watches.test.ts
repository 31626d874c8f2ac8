import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSlice, Service } from "../../src/api/generated/types.ts";
import { endpoints, endpointSlices, services } from "../../src/api/resources.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { startProxy } from "../../src/proxy/proxy.ts";
import { createWorld, eventually } from "../controllers/world.ts";
import { Kept } from "./kept.ts";
import { nodePlan } from "./lab/objects.ts";
import { ends } from "./plan-examples.ts";

const PROXY_NAME = "service.kubernetes.io/service-proxy-name";
const HEADLESS = "service.kubernetes.io/headless";

const made = (name: string, number: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: { clusterIP: `10.96.0.${number}`, ipFamilies: ["IPv4"], ports: [{ name: "http", port: 80 }] },
});
const slice = (name: string, number: number, labels: Record<string, string> = {}): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    namespace: "default",
    name: `${name}-${number}`,
    labels: { "kubernetes.io/service-name": name, ...labels },
  },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: [{ addresses: [`10.1.0.${number}`] }],
});

test("PRX-001, PRX-002, PRX-004, PRX-269: whose Services and slices the proxy carries, from an API server", async (t) => {
  const { client } = await createWorld(t);
  const engine = new Kept();
  const carried = (name: string): string => ends(engine.plans.get(`default/${name}`)?.ports[0]?.cluster);
  const shows = (name: string, expected: string): Promise<unknown> =>
    eventually(
      `${name} leads to ${expected}`,
      async () => carried(name),
      (found) => found === expected,
    );
  const relabel = (resource: typeof services, name: string, labels: Record<string, string | null>): Promise<unknown> =>
    client.patch(resource, { namespace: "default", name }, "merge", { metadata: { labels } });
  await client.create(services, made("web", 9));
  await client.create(services, made("bare", 8));
  await client.create(endpointSlices, slice("web", 1));
  const proxy = await startProxy({
    client,
    engine,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    node: nodePlan(),
  });
  t.after(() => proxy.stop());
  await shows("web", "1");

  // PRX-001: any other proxy's name, even none, is as good as gone; its slices still come, and lead nowhere.
  for (const name of ["other", ""]) {
    await relabel(services, "web", { [PROXY_NAME]: name });
    await shows("web", "nothing");
    await client.create(endpointSlices, slice("web", 2, { [PROXY_NAME]: name }));
    await relabel(services, "web", { [PROXY_NAME]: null });
    await shows("web", "1 2");
    await client.delete(endpointSlices, { namespace: "default", name: "web-2" });
    await shows("web", "1");
  }

  // PRX-002: a slice for headless Services is not looked at until it is none any more.
  await client.create(endpointSlices, slice("web", 3, { [HEADLESS]: "" }));
  await client.create(endpointSlices, slice("web", 4));
  await shows("web", "1 4");
  await relabel(endpointSlices, "web-3", { [HEADLESS]: null });
  await shows("web", "1 3 4");

  // PRX-004: Endpoints count when they have been mirrored into a slice, and so no sooner for a Service with a selector.
  const bare: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace: "default", name: "bare", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: "10.1.0.5" }], ports: [{ name: "http", port: 8080 }] }],
  };
  await client.create(endpoints, bare);
  await client.create(endpointSlices, slice("web", 6));
  await shows("web", "1 3 4 6");
  assert.equal(carried("bare"), "reject");
  await relabel(endpoints, "bare", { "endpointslice.kubernetes.io/skip-mirror": null });
  await shows("bare", "5");
});
