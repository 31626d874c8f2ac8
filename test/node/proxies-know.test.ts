import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { EndpointSlice, Lease, Namespace, Pod, Service } from "../../src/api/generated/types.ts";
import { endpointSlices, leases, namespaces, pods, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { PATIENCE, proxiesKnow, type ProxiesKnow } from "../../src/node/ending/proxies-know.ts";
import type { Clock } from "../../src/observe/clock.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { addPod, createWorld, eventually, runPod } from "../controllers/world.ts";

const NODE_LEASES = "kube-node-lease";
const ENDING = "fairlead.dev/ending-endpoints";
const lease = { namespace: NODE_LEASES, name: "proxy-node-1" };

interface Scene {
  readonly client: Client;
  readonly know: ProxiesKnow;
  readonly pod: Pod;
  readonly slice: () => Promise<EndpointSlice>;
  /** The proxy's word: uids of ending pods that it leads nobody to. */
  readonly tells: (uids: string) => Promise<void>;
}

/** A ready pod behind a Service, and a proxy that is played by the test. */
async function scene(t: TestContext, clock: Clock = systemClock): Promise<Scene> {
  const { client } = await createWorld(t);
  const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NODE_LEASES } };
  await client.create(namespaces, namespace);
  const service = await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "web" },
    spec: { selector: { app: "web" }, clusterIP: "10.96.0.7", ports: [{ port: 80 }] },
  });
  await addPod(client, "web", { app: "web" }, { nodeName: "node-1" });
  await runPod(client, "web", "10.244.0.5");
  const slice = async (): Promise<EndpointSlice> =>
    (await client.list<EndpointSlice>(endpointSlices, { namespace: "default" })).items[0]!;
  await eventually("a ready endpoint", slice, (one) => one?.endpoints?.[0]?.conditions?.ready === true);
  const metadata = { ...lease, annotations: { [ENDING]: "" } };
  const object: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata };
  await client.create(leases, object);
  const tells = async (uids: string): Promise<void> => {
    await client.patch(leases, lease, "merge", { metadata: { annotations: { [ENDING]: uids } } });
  };
  const know = proxiesKnow({
    client,
    clock,
    random: Math.random,
    log: silentLog,
    nodeName: "node-1",
    services: () => [service],
  });
  t.after(() => know.stop());
  await know.synced();
  const pod = await client.get<Pod>(pods, { namespace: "default", name: "web" });
  return { client, know, pod, slice, tells };
}

/** A clock whose waits never end by themselves. */
const patient: Clock = { ...systemClock, after: () => () => {} };

void test("CTL-118: the end of a pod waits for the rules that leave it out, and no longer", async (t) => {
  const { client, know, pod, slice, tells } = await scene(t, patient);
  await client.delete(pods, { namespace: "default", name: "web" }, { gracePeriodSeconds: 30 });
  let isTold = false;
  const waiting = know(pod, new AbortController().signal).then(() => (isTold = true));
  await eventually("the slice", slice, (one) => one.endpoints?.[0]?.conditions?.terminating === true);
  await tells("another");
  await client.get(leases, lease);
  assert.equal(isTold, false, "the word of another pod does not do");
  await tells(`another,${pod.metadata.uid}`);
  await waiting;
});

void test("nothing waits for a pod that no Service leads to, and not longer than its patience for a proxy that is silent", async (t) => {
  const { client, know, pod } = await scene(t);
  const signal = new AbortController().signal;
  await know({ ...pod, metadata: { ...pod.metadata, labels: { app: "other" } } }, signal);
  await client.delete(pods, { namespace: "default", name: "web" }, { gracePeriodSeconds: 30 });
  const began = performance.now();
  await know(pod, signal);
  assert.ok(performance.now() - began > PATIENCE / 2, "it did wait");
});
