import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints } from "../../src/api/generated/types.ts";
import { endpoints, services } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { addPod, addService, createWorld, eventAbout, eventually, runPod } from "./world.ts";

const WEB = { namespace: "default", name: "web" };
const all = async (client: Client): Promise<Endpoints[]> =>
  (await client.list<Endpoints>(endpoints, { namespace: "default" })).items;
const orphan = (client: Client, name: string, annotations: Record<string, string> = {}): Promise<Endpoints> =>
  client.create<Endpoints>(endpoints, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace: "default", name, annotations },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }],
  });

test("CTL-066: at the start Endpoints without a Service go, but for those that elect a leader", async (t) => {
  const { client, restartControllers, complaints } = await createWorld(t);
  await orphan(client, "lost");
  await orphan(client, "elected", { "control-plane.alpha.kubernetes.io/leader": "{}" });
  await addService(client, "web", undefined);
  await orphan(client, "web");
  await addService(client, "later", { app: "none" });
  await eventually(
    "the later Service's Endpoints",
    () => all(client),
    (items) => items.some(({ metadata }) => metadata.name === "later"),
  );
  assert.equal((await all(client)).length, 4, "while running nobody's Endpoints are left alone");
  await restartControllers();
  const left = await eventually(
    "three are left",
    () => all(client),
    (items) => items.length === 3,
  );
  assert.deepEqual(left.map(({ metadata }) => metadata.name).join(), "elected,later,web");
  assert.deepEqual(complaints, []);
});

for (const [verb, reason] of [
  ["create", "FailedToCreateEndpoint"],
  ["update", "FailedToUpdateEndpoint"],
] as const) {
  test(`CTL-069: Endpoints that cannot be ${verb}d say so, and are tried again`, async (t) => {
    let refusals = 0;
    const { client } = await createWorld(t, {
      through: (theirs) => ({
        ...theirs,
        [verb]: (resource: unknown, object: { kind?: string }, ...rest: never[]) => {
          if (object.kind === "Endpoints" && (refusals += 1) <= 5) {
            return Promise.reject(new ApiError("InternalError", "no room is left"));
          }
          return (theirs[verb] as (...all: unknown[]) => Promise<unknown>)(resource, object, ...rest);
        },
      }),
    });
    await addService(client, "web", { app: "a" });
    if (verb === "update") {
      await eventually(
        "the Endpoints to be updated",
        () => all(client),
        (items) => items.length === 1,
      );
    }
    await addPod(client, "a", { app: "a" }, { nodeName: "node-1" });
    await runPod(client, "a", "10.1.0.1");
    const event = await eventAbout(client, "Endpoints", "web", reason);
    assert.equal(event.type, "Warning");
    assert.match(event.message ?? "", /default\/web .* no room is left/);
    await eventually(
      "the address",
      () => all(client),
      ([found]) => found?.subsets?.[0]?.addresses?.[0]?.ip === "10.1.0.1",
    );
  });
}

test("CTL-057, CTL-064, CTL-065: labels follow the Service, the time of the trigger is there, and all goes with it", async (t) => {
  const { client, complaints } = await createWorld(t);
  await addService(client, "web", { app: "a" });
  await addPod(client, "a", { app: "a" }, { nodeName: "node-1" });
  await runPod(client, "a", "10.1.0.1");
  const [held] = await eventually(
    "the address",
    () => all(client),
    ([found]) => found?.subsets?.length === 1,
  );
  assert.match(held?.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"] ?? "", /^\d{4}-.*Z$/);
  await client.patch(services, WEB, "merge", { metadata: { labels: { team: "x" } } });
  const [labelled] = await eventually(
    "the label",
    () => all(client),
    ([found]) => found?.metadata.labels?.["team"] === "x",
  );
  assert.deepEqual(labelled?.metadata.labels, {
    team: "x",
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    "service.kubernetes.io/headless": "",
  });
  assert.deepEqual(labelled.metadata.ownerReferences ?? [], []);
  await client.delete(services, WEB);
  await eventually(
    "nothing is left",
    () => all(client),
    (items) => items.length === 0,
  );
  assert.deepEqual(complaints, []);
});
