import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Service } from "../../src/api/generated/types.ts";
import { endpointSlices, pods, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { addPod, createWorld, eventually, runPod, shows, slicesOf } from "./world.ts";

const ENDPOINTS = "fairlead.dev/endpoints";
const say = (client: Client, name: string, annotations: Record<string, string | null>): Promise<unknown> =>
  client.patch(pods, { namespace: "default", name }, "merge", { metadata: { annotations } });

test("what pods say of their share reaches their slice at once, and goes again; others' slices are let alone", async (t) => {
  const { client } = await createWorld(t);
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "web" },
    spec: { selector: { app: "a" }, clusterIP: "10.96.0.9", ipFamilies: ["IPv4"], ports: [{ port: 80 }] },
  });
  for (const name of ["a", "b"]) {
    await addPod(client, name, { app: "a" }, { nodeName: "node-1" });
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await shows(client, "a=true", "b=true");
  const foreign = await client.create<EndpointSlice>(endpointSlices, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "default", name: "by-hand", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.9.9.9"] }],
  });
  const says = (expected: string | undefined): Promise<unknown> =>
    eventually(
      `the slice says ${expected}`,
      async () => (await slicesOf(client)).find(({ metadata }) => metadata.name !== "by-hand")?.metadata.annotations,
      (found) => found?.[ENDPOINTS] === expected,
    );
  await says(undefined);
  await say(client, "a", { "fairlead.dev/weight": "10" });
  await says('{"a":{"weight":"10"}}');
  await say(client, "b", { "fairlead.dev/backup": "true" });
  await says('{"a":{"weight":"10"},"b":{"backup":"true"}}');
  // Who takes it away from the slice is put right.
  const [made] = (await slicesOf(client)).filter(({ metadata }) => metadata.name !== "by-hand");
  await client.patch(endpointSlices, { namespace: "default", name: made?.metadata.name ?? "" }, "merge", {
    metadata: { annotations: { [ENDPOINTS]: null } },
  });
  await says('{"a":{"weight":"10"},"b":{"backup":"true"}}');
  await say(client, "a", { "fairlead.dev/weight": null });
  await say(client, "b", { "fairlead.dev/backup": null });
  await says(undefined);
  const after = (await slicesOf(client)).find(({ metadata }) => metadata.name === "by-hand");
  assert.equal(after?.metadata.resourceVersion, foreign.metadata.resourceVersion);
});
