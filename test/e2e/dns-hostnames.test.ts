import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod, StatefulSet } from "../../src/api/generated/types.ts";
import { pods, statefulSets } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { ip6Of, ipOf, NS } from "./serving.ts";

const ZONE = "cluster.local";
const below = (name: string): string => `${name}.peers.${NS}.svc.${ZONE}`;

/** A pod of the Service `peers` that does nothing; ready once `/tmp/ready` is there, at once unless told. */
const peer = (name: string, spec: object, command = "touch /tmp/ready; exec sleep 1000"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: NS, labels: { app: "peer" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    ...spec,
    containers: [
      {
        name: "peer",
        command: ["sh", "-c", command],
        readinessProbe: { exec: { command: ["cat", "/tmp/ready"] }, periodSeconds: 1, failureThreshold: 1 },
      },
    ],
  },
});

const headless = (name: string, spec: object = {}): object =>
  webService(name, {
    clusterIP: "None",
    ipFamilyPolicy: "RequireDualStack",
    selector: { app: "peer" },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
    ...spec,
  });

/** Names that pods have of their own, by `hostname` and `subdomain`. */
describe("names of pods below a headless Service", () => {
  let naming: Naming;
  let asker: Asker;

  before(async () => {
    naming = await startNaming(
      {},
      headless("peers"),
      headless("others"),
      peer("one", { hostname: "first", subdomain: "peers" }),
      peer("two", { hostname: "same", subdomain: "peers" }),
      peer("three", { hostname: "same", subdomain: "peers" }),
      peer("nameless", { subdomain: "peers" }),
      clientPod("homeless", NS, { hostname: "here", subdomain: "nowhere" }),
      clientPod("client", NS, { hostname: "me", subdomain: "peers" }),
    );
    asker = await naming.askerIn("client");
    await Promise.all(["one", "two", "three", "nameless"].map((name) => naming.readyPod(name)));
    await until("the slices to have all four", async () => (await naming.readyAddresses("peers")).length === 8);
  });
  after(() => naming?.close());

  const addressesOf = async (...names: string[]): Promise<string[]> => {
    const found = await Promise.all(names.map((name) => naming.readyPod(name)));
    return found.flatMap((pod) => [ipOf(pod), ip6Of(pod)]).sort();
  };

  test("DNS-089: hostname and subdomain give a pod a name, with addresses, PTR and a place as SRV target", async () => {
    const [four, six] = [ipOf(await naming.readyPod("one")), ip6Of(await naming.readyPod("one"))];
    assert.deepEqual(await asker.dig(below("first"), "A"), [four]);
    assert.deepEqual(await asker.dig(below("first"), "AAAA"), [six]);
    for (const name of ["first.peers", `first.peers.${NS}`, `first.peers.${NS}.svc`, below("first")]) {
      assert.deepEqual(await asker.addresses(name), [four, six].sort(), name);
    }
    for (const address of [four, six]) {
      assert.ok((await asker.dig("-x", address)).includes(`${below("first")}.`), address);
    }
    const targets = (await asker.dig(`peers.${NS}.svc.${ZONE}`, "SRV")).map((record) => record.split(" ")[3]);
    assert.ok(targets.includes(`${below("first")}.`), `the targets are ${targets.join()}`);
  });

  test("DNS-090: the name is below the Service that the subdomain names, and below no other that selects the pod", async () => {
    assert.deepEqual(await asker.addresses("first.others"), []);
    const dashed = ipOf(await naming.readyPod("one")).replaceAll(".", "-");
    assert.deepEqual(await asker.addresses(`${dashed}.others`), [ipOf(await naming.readyPod("one"))]);
  });

  test("DNS-091: without hostname a pod has only the name of its address, also with a subdomain", async () => {
    assert.deepEqual(await asker.addresses("nameless.peers"), []);
    const address = ipOf(await naming.readyPod("nameless"));
    assert.deepEqual(await asker.addresses(`${address.replaceAll(".", "-")}.peers`), [address]);
  });

  test("DNS-014: a pod with a name has none of its address", async () => {
    const dashed = ipOf(await naming.readyPod("one")).replaceAll(".", "-");
    // Below a Service that is there nothing is asked for outside: `POD.SERVICE` may be a name of somebody else's there.
    assert.equal(await asker.verdict(below(dashed), "A"), "NXDOMAIN 0 1 1");
  });

  test("DNS-095, DNS-011: two pods of one hostname and subdomain share the name", async () => {
    assert.deepEqual(await asker.addresses("same.peers"), await addressesOf("two", "three"));
  });

  test("DNS-139: getent hosts of a pod's whole name and of its bare hostname, inside that pod", async () => {
    const pod = await naming.readyPod("client");
    for (const name of ["me", `me.peers.${NS}.svc.${ZONE}`]) {
      const line = (await asker.getentHosts(name)).split(" ");
      assert.ok([ipOf(pod), ip6Of(pod)].includes(line[0]!), line.join(" "));
      assert.deepEqual(line.slice(1), [`me.peers.${NS}.svc.${ZONE}`, "me"]);
    }
    assert.equal((await asker.output("hostname", "-f")).trim(), `me.peers.${NS}.svc.${ZONE}`);
    // By DNS, too, for the others.
    const line = (await asker.getentHosts(below("first"))).split(" ");
    assert.equal(line[1], below("first"));
  });

  test("DNS-092: without the Service the name does not resolve, though inside the pod hostname -f says it", async () => {
    const homeless = await naming.askerIn("homeless");
    assert.equal((await homeless.output("hostname", "-f")).trim(), `here.nowhere.${NS}.svc.${ZONE}`);
    assert.match(await asker.verdict(`here.nowhere.${NS}.svc.${ZONE}`, "A"), /^NXDOMAIN /);
    assert.deepEqual(await asker.addresses("here.nowhere"), []);
  });

  test("DNS-094: a pod's name is there while it is ready; always, where the Service publishes addresses that are not", async () => {
    await naming.create(
      headless("slow", { selector: { app: "slow" } }),
      headless("eager", { selector: { app: "slow" }, publishNotReadyAddresses: true }),
    );
    const pod = peer("late", { hostname: "late", subdomain: "slow" }, "while [ ! -e /tmp/told ]; do sleep 0.1; done");
    await naming.client.create<Pod>(pods, { ...pod, metadata: { ...pod.metadata, labels: { app: "slow" } } });
    const eager = peer("keen", { hostname: "keen", subdomain: "eager" }, "exec sleep 1000");
    await naming.client.create<Pod>(pods, { ...eager, metadata: { ...eager.metadata, labels: { app: "slow" } } });
    await until("the name of a pod that is not ready", async () => (await asker.addresses("keen.eager")).length === 2);
    assert.deepEqual(await asker.addresses("late.slow"), []);
    assert.deepEqual(await asker.addresses("slow"), []);
    assert.equal((await asker.addresses("eager")).length, 4);
  });

  test("DNS-093: pods of a StatefulSet are named after themselves, below its Service", async () => {
    await naming.create(headless("set", { selector: { app: "set" } }));
    await naming.client.create<StatefulSet>(statefulSets, {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace: NS },
      spec: {
        serviceName: "set",
        replicas: 2,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: { app: "set" } },
        template: {
          metadata: { labels: { app: "set" } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ name: "db", command: ["sleep", "1000"] }],
          },
        },
      },
    });
    for (const name of ["db-0", "db-1"]) {
      const expected = await until(`${name} to be ready`, () => addressesOf(name));
      await until(`the name of ${name}`, async () => {
        const found = await asker.addresses(`${name}.set`);
        return found.length === 2 && assert.deepEqual(found, expected) === undefined;
      });
      assert.deepEqual(await asker.addresses(`${name}.set.${NS}.svc.${ZONE}`), expected);
      assert.deepEqual(await asker.dig("-x", expected[0]!), [`${name}.set.${NS}.svc.${ZONE}.`]);
    }
  });
});
