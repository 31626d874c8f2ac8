import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, PersistentVolumeClaim, Pod } from "../../src/api/generated/types.ts";
import { events, persistentVolumeClaims, pods } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { addNode, addPod, createWorld, eventually } from "./world.ts";

type Spec = Partial<NonNullable<PersistentVolumeClaim["spec"]>>;

const AT = { namespace: "default", name: "data" };

const addClaim = (client: Client, spec: Spec = {}): Promise<PersistentVolumeClaim> =>
  client.create<PersistentVolumeClaim>(persistentVolumeClaims, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: AT,
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });

const read = (client: Client): Promise<PersistentVolumeClaim> =>
  client.get<PersistentVolumeClaim>(persistentVolumeClaims, AT);
const bound = (client: Client): Promise<PersistentVolumeClaim> =>
  eventually(
    "the claim to be bound",
    () => read(client),
    ({ status }) => status?.phase === "Bound",
  );
const told = (client: Client, reason: string): Promise<string | undefined> =>
  eventually(
    reason,
    async () =>
      (await client.list<Event>(events, { namespace: "default" })).items.find((event) => event.reason === reason)
        ?.message,
    (message) => message !== undefined,
  );
const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];

test("a claim is bound at once, whatever its storage class, and its event says to what", async (t) => {
  const { client, complaints } = await createWorld(t);
  const { metadata } = await addClaim(client, { storageClassName: "fast-ssd" });
  const claim = await bound(client);
  assert.equal(claim.spec?.volumeName, `local-${metadata.uid}`);
  assert.deepEqual(claim.status, { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } });
  assert.deepEqual(claim.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  assert.equal(
    await told(client, "ProvisioningSucceeded"),
    `The claim is a directory (local-${metadata.uid}) of the node that its first pod runs on; that it holds 1Gi is not enforced`,
  );
  await client.patch(persistentVolumeClaims, AT, "merge", { spec: { resources: { requests: { storage: "2Gi" } } } });
  await eventually(
    "more room",
    () => read(client),
    ({ status }) => status?.capacity?.["storage"] === "2Gi",
  );
  assert.deepEqual(complaints, []);
});

test("the first pod that uses a claim pins it to its node", async (t) => {
  const { client } = await createWorld(t);
  await addClaim(client);
  await bound(client);
  assert.equal((await read(client)).metadata.annotations?.["volume.kubernetes.io/selected-node"], undefined);
  await addPod(client, "user", {}, { volumes });
  await eventually(
    "the node",
    () => read(client),
    ({ metadata }) => metadata.annotations?.["volume.kubernetes.io/selected-node"] === "node-1",
  );
  await addNode(client, "node-2");
  await addPod(client, "other", {}, { volumes, nodeName: "node-2" });
  await client.delete(pods, { namespace: "default", name: "user" }, { gracePeriodSeconds: 0 });
  await client.patch(persistentVolumeClaims, AT, "merge", { metadata: { labels: { seen: "yes" } } });
  const claim = await read(client);
  assert.equal(claim.metadata.annotations?.["volume.kubernetes.io/selected-node"], "node-1");
});

test("a claim that a pod uses waits with its end until the pod is gone", async (t) => {
  const { client, restartControllers } = await createWorld(t);
  await addClaim(client);
  await bound(client);
  await addPod(client, "user", {}, { volumes });
  await eventually(
    "the pod's node",
    () => client.get<Pod>(pods, { namespace: "default", name: "user" }),
    ({ spec }) => spec?.nodeName === "node-1",
  );
  await client.delete(persistentVolumeClaims, AT);
  await restartControllers();
  assert.ok((await read(client)).metadata.deletionTimestamp !== undefined);
  await client.delete(pods, { namespace: "default", name: "user" }, { gracePeriodSeconds: 0 });
  await eventually(
    "the claim to go",
    () => client.list<PersistentVolumeClaim>(persistentVolumeClaims),
    ({ items }) => items.length === 0,
  );
});

test("CTL-127: an ephemeral volume is a claim of its pod's own, which goes with it", async (t) => {
  const { client } = await createWorld(t);
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const scratch = {
    name: "scratch",
    ephemeral: { volumeClaimTemplate: { metadata: { labels: { use: "once" } }, spec } },
  };
  const pod = await addPod(client, "user", {}, { volumes: [scratch] });
  const claim = await eventually(
    "its claim",
    async () => (await client.list<PersistentVolumeClaim>(persistentVolumeClaims)).items[0],
    (found) => found?.status?.phase === "Bound",
  );
  assert.equal(claim?.metadata.name, "user-scratch");
  assert.deepEqual(claim.metadata.labels, { use: "once" });
  assert.equal(claim.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
  await client.delete(pods, { namespace: "default", name: "user" }, { gracePeriodSeconds: 0 });
  await eventually(
    "the claim to go",
    () => client.list<PersistentVolumeClaim>(persistentVolumeClaims),
    ({ items }) => items.length === 0,
  );
});

for (const [what, spec, why] of [
  ["of a block device", { volumeMode: "Block" }, "volumeMode is Block"],
  [
    "of a certain volume",
    { volumeName: "pv-7" },
    "it asks for the volume pv-7, and there are no PersistentVolumes here",
  ],
  ["with a selector", { selector: { matchLabels: { tier: "gold" } } }, "it selects among PersistentVolumes"],
  ["with a source", { dataSource: { kind: "PersistentVolumeClaim", name: "old" } }, "it is to be filled from"],
] as const) {
  test(`a claim ${what} stays Pending, and its event says what to do`, async (t) => {
    const { client } = await createWorld(t);
    await addClaim(client, spec);
    const message = await told(client, "ProvisioningFailed");
    assert.ok(message?.startsWith(`The claim stays Pending: ${why}`) === true, String(message));
    assert.equal((await read(client)).status?.phase, "Pending");
  });
}
