import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Endpoint, EndpointSlice, Lease, Node, Pod } from "../../src/api/generated/types.ts";
import { endpointSlices, leases, nodes, pods } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import { counts, ipOf, NS, startServing, type Serving } from "./serving.ts";

/** What others see of a pod's life: its conditions, its endpoints, its node. */
describe("the life of a pod, as others see it", () => {
  let serving: Serving;
  before(async () => {
    serving = await startServing(webService("web"));
  });
  after(() => serving?.close());

  const podAt = (name: string): Promise<Pod> => serving.client.get<Pod>(pods, { namespace: NS, name });
  const podThat = (name: string, is: (pod: Pod) => boolean): Promise<Pod> =>
    until(`pod ${name} as asked`, async () => {
      const pod = await podAt(name);
      return is(pod) && pod;
    });
  const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((each) => each.type === type);
  const isReady = (pod: Pod): boolean => condition(pod, "Ready")?.status === "True";
  const endpointOf = async (name: string): Promise<Endpoint | undefined> => {
    const { items } = await serving.client.list<EndpointSlice>(endpointSlices, {
      namespace: NS,
      labelSelector: "kubernetes.io/service-name=web",
    });
    return items.flatMap(({ endpoints = [] }) => endpoints).find(({ targetRef }) => targetRef?.name === name);
  };
  const remove = (name: string, gracePeriodSeconds: number): Promise<void> =>
    serving.client.delete(pods, { namespace: NS, name }, { gracePeriodSeconds });
  /** An answering pod with changes to its spec and container. */
  const podWith = (name: string, spec: object, container: object): Pod => {
    const pod = answeringPod(name) as Pod;
    return { ...pod, spec: { ...pod.spec!, ...spec, containers: [{ ...pod.spec!.containers[0]!, ...container }] } };
  };

  test("CTL-101: a condition that holds again keeps no reason of when it did not, and says of which generation it is", async () => {
    await serving.create(answeringPod("turns"));
    const ready = await serving.readyPod("turns");
    await serving.onNode.call(`http://${ipOf(ready)}:8080/fail`);
    const failing = await podThat("turns", (pod) => !isReady(pod));
    assert.equal(condition(failing, "Ready")?.reason, "ContainersNotReady");
    await serving.onNode.call(`http://${ipOf(ready)}:8080/heal`);
    const healed = condition(await podThat("turns", isReady), "Ready");
    assert.deepEqual([healed?.reason, healed?.message], [undefined, undefined]);
    assert.equal(healed?.observedGeneration, ready.metadata.generation);
  });

  test("CTL-107: who patches a pod's status opens its readiness gate, and closes it", async () => {
    await serving.create(podWith("gated", { readinessGates: [{ conditionType: "example.com/gate" }] }, {}));
    const closed = await podThat("gated", (pod) => condition(pod, "ContainersReady")?.status === "True");
    assert.equal(condition(closed, "Ready")?.reason, "ReadinessGatesNotReady");
    for (const status of ["True", "False"]) {
      await serving.client.patch(
        pods,
        { namespace: NS, name: "gated" },
        "strategic",
        { status: { conditions: [{ type: "example.com/gate", status }] } },
        { subresource: "status" },
      );
      await podThat("gated", (pod) => condition(pod, "Ready")?.status === status);
      await until("its endpoint", async () => (await endpointOf("gated"))?.conditions?.ready === (status === "True"));
    }
  });

  test("CTL-109, CTL-112, CTL-113: an ending pod's endpoint is terminating and serves while its hook runs, as long as its probe passes", async () => {
    const preStop = { exec: { command: ["sh", "-c", "until [ -e /tmp/end ]; do sleep 0.05; done"] } };
    await serving.create(podWith("ending", { terminationGracePeriodSeconds: 300 }, { lifecycle: { preStop } }));
    const address = ipOf(await serving.readyPod("ending"));
    const before = Date.now();
    await serving.client.delete(pods, { namespace: NS, name: "ending" });
    const { deletionTimestamp, deletionGracePeriodSeconds } = (await podAt("ending")).metadata;
    assert.equal(deletionGracePeriodSeconds, 300);
    assert.ok(Math.abs(Date.parse(deletionTimestamp!) - before - 300_000) < 30_000);
    const conditions = async (): Promise<(boolean | undefined)[]> => {
      const { ready, serving: serves, terminating } = (await endpointOf("ending"))?.conditions ?? {};
      return [ready, serves, terminating];
    };
    await until("a terminating endpoint", async () => (await conditions()).join() === "false,true,true");
    assert.deepEqual(counts(await serving.onNode.call(`http://${address}:8080/fail`)), { ending: 1 });
    await until("an endpoint that serves no more", async () => (await conditions()).join() === "false,false,true");
    assert.equal((await podAt("ending")).status?.phase, "Running");
    // A longer grace does not count, a shorter one does.
    await remove("ending", 900);
    assert.equal((await podAt("ending")).metadata.deletionGracePeriodSeconds, 300);
    await remove("ending", 1);
    await until("the endpoint to be gone", async () => (await endpointOf("ending")) === undefined);
    await until("the pod to be gone", () =>
      podAt("ending").then(
        () => false,
        () => true,
      ),
    );
  });

  test("CTL-116: an evicted pod is ended, keeps its reason, and is no endpoint any more", async () => {
    await serving.create(answeringPod("evicted"));
    await serving.readyPod("evicted");
    await until("its endpoint", () => endpointOf("evicted"));
    const status = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." };
    await serving.client.patch(
      pods,
      { namespace: NS, name: "evicted" },
      "strategic",
      { status },
      { subresource: "status" },
    );
    await until("the endpoint to be gone", async () => (await endpointOf("evicted")) === undefined);
    const ended = await podThat(
      "evicted",
      (pod) => pod.status?.containerStatuses?.[0]?.state?.terminated !== undefined,
    );
    assert.deepEqual([ended.status?.phase, ended.status?.reason, ended.status?.message], Object.values(status));
  });

  test("the node holds a lease that it renews; a Node that is deleted comes back, and its pods stay", async () => {
    await serving.create(answeringPod("stays"));
    const { status } = await serving.readyPod("stays");
    const [node] = (await serving.client.list<Node>(nodes)).items;
    const name = node!.metadata.name!;
    const leaseAt = (): Promise<Lease> => serving.client.get<Lease>(leases, { namespace: "kube-node-lease", name });
    const lease = await leaseAt();
    assert.deepEqual([lease.spec?.holderIdentity, lease.spec?.leaseDurationSeconds], [name, 40]);
    assert.equal(lease.metadata.ownerReferences?.[0]?.uid, node!.metadata.uid);
    await until("a renewal", async () => (await leaseAt()).spec?.renewTime !== lease.spec?.renewTime);
    await serving.client.delete(nodes, { name });
    await until("another Node of that name", async () => {
      const again = await serving.client.get<Node>(nodes, { name }).catch(() => undefined);
      const isNew = again !== undefined && again.metadata.uid !== node!.metadata.uid;
      return isNew && again.status?.conditions?.some((each) => each.type === "Ready" && each.status === "True");
    });
    assert.equal((await serving.readyPod("stays")).status?.podIP, status?.podIP);
  });
});
