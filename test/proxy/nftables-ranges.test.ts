import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import type { Running } from "../../src/host/host.ts";
import type { IPFamily } from "../../src/net/ip.ts";
import type { Frontend, ServicePortPlan, Target } from "../../src/proxy/plan/plan.ts";
import { CLIENTS, nftablesLab, podsOf, sourcesOf } from "./lab/nftables.ts";
import { CLIENT, PODS, serveOn } from "./lab/network.ts";
import { clusterIP, externalIP } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();
const started: Running[] = [];
after(async () => {
  for (const one of started) {
    one.stdin.end();
    await one.ended;
  }
});

/** Two ports of the range that pods listen on beside their own. */
const LISTENING = [20_000, 29_999] as const;
const listen = async (): Promise<void> => {
  if (started.length > 0) return;
  for (const port of LISTENING) {
    started.push(await serveOn(lab.network.at("pod1"), port, ["pod1"]));
    started.push(await serveOn(lab.network.at("pod2"), port, ["pod2"]));
    started.push(await serveOn(lab.network.at("node2"), port, ["pod3"]));
  }
};

const range = (
  number: number,
  targets: readonly Target[],
  change: Partial<ServicePortPlan> & { readonly local?: boolean; readonly kind?: Frontend["kind"] } = {},
): ServicePortPlan => {
  const { kind = "external", ...rest } = change;
  const family: IPFamily = rest.family ?? "IPv4";
  const of = { port: 20_000, lastPort: 29_999 };
  return portPlan(number, targets, {
    id: `default/s${number}:${rest.protocol ?? "TCP"}#range`,
    keepsPort: true,
    frontends: [
      { ip: clusterIP(number, family), kind: "cluster", ...of },
      { ip: externalIP(number, family), kind, ...of },
    ],
    ...rest,
  });
};

for (const family of ["IPv4", "IPv6"] as const) {
  test(`a range of 10,000 ports leads to the port that was called, by a handful of elements (${family})`, async () => {
    await listen();
    const planned = lab.plan();
    const targets = (["pod1", "pod2", "pod3"] as const).map((pod) => target(pod, family));
    planned.set(
      servicePlan(1, range(1, targets, { family }), range(1, targets, { family, protocol: "UDP" })),
      servicePlan(2, range(2, targets, { family, local: true })),
    );
    await planned.apply();
    const elements = [...planned.applied!.table.all()].filter(({ set }) => ["fer", "feor", "bea"].includes(set));
    ok(elements.length <= 20, `${elements.length} elements`);
    const pods = targets.map(({ ip }) => ip).toSorted();
    const wait = 300;
    for (const port of LISTENING) {
      for (const protocol of ["TCP", "UDP"] as const) {
        deepEqual(podsOf(await lab.call("client", clusterIP(1, family), 40, { port, protocol })), pods);
        deepEqual(podsOf(await lab.call("node", externalIP(1, family), 40, { port, protocol })), pods);
      }
      // What holds for an address holds for a range of it: sources, the short circuit, who is masqueraded.
      const mine = { port, from: CLIENT[family] };
      deepEqual(sourcesOf(await lab.call("client", externalIP(2, family), 5, mine)), [CLIENT[family]]);
      deepEqual(podsOf(await lab.call("client", externalIP(2, family), 40, mine)).length, 2, "local ones only");
      deepEqual(podsOf(await lab.call("node", externalIP(2, family), 40, { port })), pods, "the node reaches all");
      deepEqual(sourcesOf(await lab.call("pod2", clusterIP(1, family), 5, { port })).includes(PODS.pod2[family]), true);
    }
    // A port of the range on which no pod listens is refused by the pod; one outside of it by us, as a wrong port.
    for (const port of [25_000, 19_999, 30_000]) {
      deepEqual(await lab.call("client", clusterIP(1, family), 1, { port }), ["refused"], String(port));
    }
    equal((await lab.call("client", externalIP(1, family), 1, { port: 19_999, wait }))[0], "timeout");
  });
}

test("an exact port of an address wins over a range of it, also where it leads nowhere", async () => {
  await listen();
  const planned = lab.plan();
  const vip = externalIP(1, "IPv4");
  const exact = (port: number, targets: readonly Target[], more: Partial<ServicePortPlan> & { local?: boolean } = {}) =>
    portPlan(9, targets, {
      id: `default/s9:${port}`,
      frontends: [{ ip: vip, port, kind: "external" }],
      ...more,
    });
  planned.set(
    servicePlan(1, range(1, [target("pod1")])),
    servicePlan(
      9,
      exact(20_000, [target("pod2")]),
      exact(29_999, []),
      exact(20_001, [target("pod3")], { local: true }),
    ),
  );
  await planned.apply();
  deepEqual(podsOf(await lab.call("client", vip, 5, { port: 20_000 })), [PODS.pod2.IPv4]);
  deepEqual(await lab.call("client", vip, 1, { port: 29_999 }), ["refused"]);
  deepEqual(await lab.call("client", vip, 1, { port: 20_001, wait: 300 }), ["timeout"]);
  planned.remove("default/s9");
  await planned.apply();
  for (const port of LISTENING) deepEqual(podsOf(await lab.call("client", vip, 5, { port })), [PODS.pod1.IPv4]);
});

test("a range without endpoints refuses, without a local one is silence, and ranges of sources hold for it", async () => {
  await listen();
  const planned = lab.plan();
  planned.set(
    servicePlan(1, range(1, [])),
    servicePlan(2, range(2, [target("pod3")], { local: true })),
    servicePlan(3, range(3, [target("pod1")], { kind: "loadBalancer", sourceRanges: ["192.168.8.4/30"] })),
  );
  await planned.apply();
  const port = 20_000;
  for (const ip of [clusterIP(1, "IPv4"), externalIP(1, "IPv4")]) {
    deepEqual(await lab.call("client", ip, 1, { port }), ["refused"]);
    deepEqual(await lab.call("node", ip, 1, { port }), ["refused"]);
  }
  deepEqual(await lab.call("client", externalIP(2, "IPv4"), 1, { port, wait: 300 }), ["timeout"]);
  deepEqual(podsOf(await lab.call("node", externalIP(2, "IPv4"), 2, { port })), [PODS.pod3.IPv4]);
  const vip = externalIP(3, "IPv4");
  deepEqual(podsOf(await lab.call("client", vip, 2, { port, from: "192.168.8.5" })), [PODS.pod1.IPv4]);
  deepEqual(await lab.call("client", vip, 1, { port, from: "192.168.8.3", wait: 300 }), ["timeout"]);
  deepEqual(podsOf(await lab.call("client", clusterIP(3, "IPv4"), 2, { port, from: "192.168.8.3" })), [PODS.pod1.IPv4]);
});

test("affinity on a range: a client stays with one pod over all its ports, and a restart moves nobody", async () => {
  await listen();
  const targets = (["pod1", "pod2", "pod3"] as const).map((pod) => target(pod));
  const plan = servicePlan(1, range(1, targets, { affinitySeconds: 60 }));
  const first = lab.plan();
  first.set(plan);
  await first.apply();
  const where = (): Promise<string[][]> =>
    Promise.all(
      CLIENTS.IPv4.map(async (from) => {
        const call = (port: number) => lab.call("client", clusterIP(1, "IPv4"), 2, { from, port });
        return podsOf([...(await call(LISTENING[0])), ...(await call(LISTENING[1]))]);
      }),
    );
  const before = await where();
  ok(before.every((pods) => pods.length === 1));
  equal(podsOf(before.flat()).length, 3);
  const again = lab.plan();
  again.set(plan);
  await again.apply();
  deepEqual(await where(), before);
});
