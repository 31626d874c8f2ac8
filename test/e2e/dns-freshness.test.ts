import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod, Service } from "../../src/api/generated/types.ts";
import { pods, services } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const ZONE = "cluster.local";
const ROUNDS = 20;

/** A pod without a program. */
const simulated = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: NS, labels: { app: "peer" } },
  spec: { runtimeClassName: "simulated", containers: [{ name: "peer", image: "peer" }] },
});

const shortest = (times: readonly number[]): string => {
  const sorted = times.map(Math.round).sort((one, other) => one - other);
  return `${sorted[0]} to ${sorted.at(-1)} ms, the middle one ${sorted[sorted.length >> 1]}`;
};

/** That an answer is never older than the cluster: how soon a pod's resolver sees a change after the API has taken it. */
describe("a change of the cluster, seen by a pod's resolver", () => {
  let naming: Naming;
  let asker: Asker;

  before(async () => {
    naming = await startNaming(
      {},
      webService("peers", { clusterIP: "None", selector: { app: "peer" } }),
      clientPod("client", NS),
    );
    asker = await naming.askerIn("client");
  });
  after(() => naming?.close());

  const found = async (name: string): Promise<string> =>
    (await asker.caller.run("getent", "ahostsv4", name)).stdout.split(/\s/)[0] ?? "";

  test("DNS-027, DNS-082: a Service resolves although its name was denied just before, again and again", async (context) => {
    const [came, went]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `new-${round}`;
      assert.deepEqual(await asker.addresses(name), [], "not yet there");
      assert.equal(await asker.verdict(`${name}.${NS}.svc.${ZONE}`, "A"), "NXDOMAIN 0 1 1");
      const { spec } = await naming.client.create<Service>(services, webService(name) as Service);
      const made = performance.now();
      await until(`${name} to resolve`, async () => (await found(name)) === spec!.clusterIP, { every: 1 });
      came.push(performance.now() - made);
      assert.deepEqual(await asker.addresses(name), [spec!.clusterIP], "for every resolver");
      await naming.client.delete(services, { namespace: NS, name });
      const deleted = performance.now();
      await until(`${name} to be gone`, async () => (await found(name)) === "", { every: 1 });
      went.push(performance.now() - deleted);
    }
    context.diagnostic(
      `from the API's answer to getent's: there after ${shortest(came)}; gone after ${shortest(went)}`,
    );
  });

  test("DNS-027, DNS-082: a Service made anew has its new address, never the old one", async () => {
    await naming.create(webService("again"));
    for (let round = 0; round < ROUNDS; round += 1) {
      const old = (await naming.service("again")).spec!.clusterIP!;
      await until("the address to be seen", async () => (await found("again")) === old, { every: 1 });
      await naming.client.delete(services, { namespace: NS, name: "again" });
      await naming.create(webService("again"));
      const now = (await naming.service("again")).spec!.clusterIP!;
      await until("the new address to be seen", async () => (await found("again")) === now, { every: 1 });
      assert.deepEqual(await asker.addresses("again"), [now]);
    }
  });

  test("DNS-020, DNS-027: a pod that comes is in the headless answer, and one that goes has left it", async (context) => {
    const [came, went]: [number[], number[]] = [[], []];
    await naming.create(simulated("stays"));
    const stays = (await naming.readyPod("stays")).status!.podIP!;
    await until("the first address", async () => (await asker.addresses("peers")).join() === stays);
    for (let round = 0; round < ROUNDS; round += 1) {
      await naming.create(simulated("goes"));
      const goes = (await naming.readyPod("goes")).status!.podIP!;
      const ready = performance.now();
      const both = [stays, goes].sort().join();
      await until("both addresses", async () => (await asker.dig("+search", "peers", "A")).join() === both, {
        every: 1,
      });
      came.push(performance.now() - ready);
      assert.equal((await asker.addresses("peers")).join(), both);
      await naming.client.delete(pods, { namespace: NS, name: "goes" });
      const deleted = performance.now();
      await until("the address to leave", async () => (await asker.dig("+search", "peers", "A")).join() === stays, {
        every: 1,
      });
      went.push(performance.now() - deleted);
      assert.deepEqual(await asker.addresses("peers"), [stays]);
      await until("the pod to be gone", async () =>
        naming.client.get<Pod>(pods, { namespace: NS, name: "goes" }).then(
          () => false,
          () => true,
        ),
      );
    }
    context.diagnostic(
      `from ready to dig's answer ${shortest(came)}; from the API's answer to a delete ${shortest(went)}`,
    );
  });
});
