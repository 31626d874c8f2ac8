import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { pods } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { ipOf, NS } from "./serving.ts";

const ZONE = "cluster.local";
const MANY = `many.${NS}.svc.${ZONE}`;

/** A pod without a program, ready at once. */
const simulated = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: NS, labels: { app: "many" } },
  spec: {
    runtimeClassName: "simulated",
    containers: [{ name: "many", image: "many", ports: [{ containerPort: 80 }] }],
  },
});

/** Ends in its own time: it goes on for as long as it is let. */
const stubborn = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: NS, labels: { app: "few" } },
  spec: {
    terminationGracePeriodSeconds: 60,
    containers: [{ name: "few", command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"] }],
  },
});

const headless = (name: string, app: string, spec: object = {}): object =>
  webService(name, { clusterIP: "None", selector: { app }, ports: [{ name: "http", port: 80 }], ...spec });

/** Answers with many addresses, and addresses that come and go. */
describe("a headless Service, asked from a pod", () => {
  let naming: Naming;
  let asker: Asker;

  before(async () => {
    naming = await startNaming(
      {},
      headless("many", "many"),
      headless("few", "few"),
      headless("few-and-all", "few", { publishNotReadyAddresses: true }),
      headless("web", "web"),
      headless("portless", "few", { ports: undefined }),
      ...["few-1", "few-2"].map(stubborn),
      answeringPod("web-1"),
      answeringPod("web-2"),
      clientPod("client", NS),
    );
    asker = await naming.askerIn("client");
  });
  after(() => naming?.close());

  const addressOf = async (name: string): Promise<string> => ipOf(await naming.readyPod(name));

  test("DNS-021, DNS-006: of a hundred pods all addresses come: glibc asks again by TCP; musl takes what the datagram has", async (context) => {
    await naming.create(...Array.from({ length: 100 }, (_, index) => simulated(`many-${index + 1}`)));
    const all = await until("a hundred addresses", async () => {
      const ready = await naming.readyAddresses("many");
      return ready.length === 100 && ready;
    });
    await until("the name to have them all", async () => (await asker.dig(MANY, "A")).length === 100);
    assert.deepEqual(await asker.dig(MANY, "A"), all);
    const cut = await asker.output("dig", "+ignore", "+noedns", MANY, "A");
    assert.match(cut, /flags: qr aa tc /);
    const { musl, ...others } = await asker.each("many");
    for (const [resolver, found] of Object.entries(others)) assert.deepEqual(found, all, resolver);
    if (musl === undefined) return;
    // Before 1.2.4 musl does not know TCP, and no musl takes more than 48.
    context.diagnostic(`musl: ${musl.length} of them`);
    assert.ok(musl.length >= 20, `musl found ${musl.length}`);
    assert.deepEqual(
      musl.filter((address) => !all.includes(address)),
      [],
    );
    const again = (await asker.each("many"))["musl"]!;
    assert.notDeepEqual(again, musl, "which of them a datagram has is another choice each time");
  });

  test("DNS-021: the order is another one each time", async () => {
    const orders = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) orders.add(await asker.output("dig", "+short", "+tcp", MANY, "A"));
    assert.ok(orders.size > 10, `${orders.size} orders of 20`);
  });

  test("DNS-008, DNS-036: a Service without ports has addresses and no SRV", async () => {
    const few = [await addressOf("few-1"), await addressOf("few-2")].sort();
    await until("both addresses", async () => (await asker.addresses("portless")).length === 2);
    assert.deepEqual(await asker.addresses("portless"), few);
    assert.deepEqual(await asker.dig(`portless.${NS}.svc.${ZONE}`, "SRV"), []);
  });

  test("DNS-020, DNS-019: a pod that is ending leaves the name at once, though its program goes on", async () => {
    const [stays, goes] = [await addressOf("few-1"), await addressOf("few-2")];
    await until("both addresses", async () => (await asker.addresses("few")).length === 2);
    await naming.client.delete(pods, { namespace: NS, name: "few-2" });
    await until("the ending pod to leave the name", async () => !(await asker.addresses("few")).includes(goes));
    assert.deepEqual(await asker.addresses("few"), [stays]);
    assert.deepEqual(await asker.addresses(`${goes.replaceAll(".", "-")}.few`), []);
    const ending = await naming.client.get<Pod>(pods, { namespace: NS, name: "few-2" });
    assert.notEqual(ending.metadata.deletionTimestamp, undefined);
    // With publishNotReadyAddresses it is there for as long as it runs.
    assert.deepEqual(await asker.addresses("few-and-all"), [stays, goes].sort());
    await naming.client.delete(pods, { namespace: NS, name: "few-2" }, { gracePeriodSeconds: 0 });
    await until("the pod that is gone to leave", async () => (await asker.addresses("few-and-all")).length === 1);
  });

  test("DNS-019, DNS-094: a pod that fails its probe leaves the name, and comes back", async () => {
    const [one, two] = [await addressOf("web-1"), await addressOf("web-2")];
    await until("both addresses", async () => (await asker.addresses("web")).length === 2);
    await asker.caller.call(`http://${two}:8080/fail`);
    await until("the pod to leave", async () => (await asker.addresses("web")).join() === one);
    await asker.caller.call(`http://${two}:8080/heal`);
    await until("the pod to be back", async () => (await asker.addresses("web")).join() === [one, two].sort().join());
  });

  test("DNS-009, DNS-075: with the last of its pods gone the name is none, and is one again with the next pod", async () => {
    await naming.client.delete(pods, { namespace: NS, name: "few-1" }, { gracePeriodSeconds: 0 });
    await until("the name to be none", async () => (await asker.verdict(`few.${NS}.svc.${ZONE}`)) === "NXDOMAIN 0 1 1");
    await naming.create(stubborn("few-3"));
    const address = await addressOf("few-3");
    await until("the name to be one again", async () => (await asker.addresses("few")).join() === address);
  });
});
