import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import type { IPFamily } from "../../src/net/ip.ts";
import type { ServicePlan } from "../../src/proxy/plan/plan.ts";
import { CLIENT, NODE, PODS, type PodName } from "./lab/network.ts";
import { nftablesLab, podsOf, sourcesOf } from "./lab/nftables.ts";
import { clusterIP, externalIP, nodePlan } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();
const FAMILIES = ["IPv4", "IPv6"] as const;

const ways = (number: number, pods: readonly PodName[], local = false): ServicePlan =>
  servicePlan(
    number,
    ...FAMILIES.map((family) =>
      portPlan(
        number,
        pods.map((pod) => target(pod, family)),
        {
          id: `default/s${number}:${family}`,
          family,
          local,
          nodePort: 30000 + number,
          frontends: [
            { ip: clusterIP(number, family), port: 80, kind: "cluster" },
            { ip: externalIP(number, family), port: 80, kind: "external" },
          ],
        },
      ),
    ),
  );

const from = (family: IPFamily): { from: string } => ({ from: CLIENT[family] });

test("PRX-077, PRX-079, PRX-080: node ports answer on every address of the machine, also one that came later, and not on loopback", async () => {
  const planned = lab.plan(nodePlan({ nodePortAddresses: { IPv4: "all", IPv6: "all" } }));
  planned.set(ways(1, ["pod1", "pod2"]));
  await planned.apply();
  for (const family of FAMILIES) {
    for (const ip of Object.values(NODE[family])) {
      const answers = await lab.call("client", ip, 40, { port: 30001, ...from(family) });
      deepEqual(podsOf(answers), [PODS.pod1[family], PODS.pod2[family]].toSorted(), ip);
    }
    const loopback = family === "IPv4" ? "127.0.0.1" : "::1";
    deepEqual(await lab.call("node", loopback, 1, { port: 30001 }), ["refused"], loopback);
    const far = await lab.call("client", PODS.pod3[family], 1, { port: 30001 });
    deepEqual(far, ["refused"], "another host's address");
  }
  await lab.node.check("ip", ["addr", "add", "192.168.8.99/24", "dev", "toclient"]);
  try {
    const answers = await lab.call("client", "192.168.8.99", 3, { port: 30001 });
    ok(
      podsOf(answers).every((pod) => pod.startsWith("10.244.0.")),
      `a new address, nothing written: ${answers.join()}`,
    );
  } finally {
    await lab.node.check("ip", ["addr", "del", "192.168.8.99/24", "dev", "toclient"]);
  }
});

test("PRX-078: addresses of one family do not restrict the other, several of one family all answer", async () => {
  const two = [NODE.IPv4.client, NODE.IPv4.node2];
  const planned = lab.plan(nodePlan({ nodePortAddresses: { IPv4: two, IPv6: "all" } }));
  planned.set(ways(1, ["pod1"]), ways(2, []));
  await planned.apply();
  for (const ip of [...two, ...Object.values(NODE.IPv6)]) {
    deepEqual(podsOf(await lab.call("client", ip, 2, { port: 30001 })), [
      PODS.pod1[ip.includes(":") ? "IPv6" : "IPv4"],
    ]);
    deepEqual(await lab.call("client", ip, 1, { port: 30002 }), ["refused"]);
  }
  deepEqual(await lab.call("client", NODE.IPv4.pods, 1, { port: 30001 }), ["refused"], "an address that is not named");
});

const CLASSES = [
  ["interface-prefix", { by: "interface-prefix", prefix: "flpod" }, { pod1: true, pod2: true }],
  ["interface", { by: "interface", name: "flpod1" }, { pod1: true, pod2: false }],
] as const;

for (const [name, localDetector, arePods] of CLASSES) {
  test(`PRX-069: pods known by ${name}: only they keep their source and have the short circuit`, async () => {
    const planned = lab.plan(nodePlan({ localDetector }));
    planned.set(ways(1, ["pod3"]), ways(2, ["pod1", "pod2", "pod3"], true));
    await planned.apply();
    for (const family of FAMILIES) {
      for (const pod of ["pod1", "pod2"] as const) {
        const source = sourcesOf(await lab.call(pod, clusterIP(1, family), 2));
        deepEqual(source, [arePods[pod] ? PODS[pod][family] : NODE[family].node2], `${pod} to a clusterIP`);
        const reached = podsOf(await lab.call(pod, externalIP(2, family), 40));
        const wanted = arePods[pod] ? (["pod1", "pod2", "pod3"] as const) : (["pod1", "pod2"] as const);
        deepEqual(reached, wanted.map((one) => PODS[one][family]).toSorted(), `${pod} to a Local externalIP`);
      }
      deepEqual(sourcesOf(await lab.call("client", clusterIP(1, family), 2, from(family))), [NODE[family].node2]);
      deepEqual(sourcesOf(await lab.call("node", clusterIP(1, family), 2)), [NODE[family].node2]);
      const node = podsOf(await lab.call("node", externalIP(2, family), 40));
      deepEqual(node.length, 3, "PRX-039: the node reaches all");
      const kept = await lab.call("client", externalIP(2, family), 2, from(family));
      deepEqual(sourcesOf(kept), [CLIENT[family]]);
    }
  });
}

test("PRX-060: without a detector nothing to a clusterIP is masqueraded, and pods have no short circuit", async () => {
  const planned = lab.plan(nodePlan({ localDetector: { by: "ranges", ranges: [] } }));
  planned.set(ways(1, ["pod3"]), ways(2, ["pod1", "pod2", "pod3"], true));
  await planned.apply();
  for (const family of FAMILIES) {
    deepEqual(sourcesOf(await lab.call("pod1", clusterIP(1, family), 2)), [PODS.pod1[family]]);
    deepEqual(sourcesOf(await lab.call("client", clusterIP(1, family), 2, from(family))), [CLIENT[family]]);
    deepEqual(podsOf(await lab.call("pod1", externalIP(2, family), 30)).length, 2, "pods reach the local ones");
    deepEqual(podsOf(await lab.call("node", externalIP(2, family), 40)).length, 3, "the node reaches all");
    deepEqual(sourcesOf(await lab.call("pod1", externalIP(1, family), 2)), [NODE[family].node2], "PRX-054");
  }
});

test("PRX-061: with masqueradeAll everything to a clusterIP is masqueraded, and other cells are as ever", async () => {
  const planned = lab.plan(nodePlan({ masqueradeAll: true, masqueradeBit: 3 }));
  planned.set(ways(1, ["pod3"]), ways(2, ["pod1", "pod2", "pod3"], true));
  await planned.apply();
  for (const family of FAMILIES) {
    deepEqual(sourcesOf(await lab.call("pod1", clusterIP(1, family), 2)), [NODE[family].node2]);
    deepEqual(sourcesOf(await lab.call("client", clusterIP(1, family), 2, from(family))), [NODE[family].node2]);
    deepEqual(sourcesOf(await lab.call("client", externalIP(2, family), 2, from(family))), [CLIENT[family]]);
    const toItself = await lab.call("pod1", externalIP(2, family), 40);
    deepEqual(podsOf(toItself).length, 3);
    const toOthers = toItself.filter((answer) => !answer.startsWith(`${PODS.pod1[family]} `));
    deepEqual(sourcesOf(toOthers), [PODS.pod1[family]], "PRX-057: a pod keeps its source");
  }
  // Another node plan while running: the fixed chains are written anew, the elements of Services that differ too.
  planned.setNode(nodePlan());
  await planned.apply();
  deepEqual(sourcesOf(await lab.call("pod1", clusterIP(1, "IPv4"), 2)), [PODS.pod1.IPv4]);
});
