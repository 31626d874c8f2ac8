import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { IPFamily } from "../../src/net/ip.ts";
import { CLIENTS, nftablesLab, podsOf } from "./lab/nftables.ts";
import { NODE, PODS } from "./lab/network.ts";
import { clusterIP } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();

/** Counts within four and a half standard deviations of the binomial's mean: outside once in 150,000 runs. */
function inProportion(answers: readonly string[], weights: Readonly<Record<string, number>>): void {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  for (const [pod, weight] of Object.entries(weights)) {
    const share = weight / total;
    const count = answers.filter((answer) => answer.startsWith(`${pod} `)).length;
    const spread = 4.5 * Math.sqrt(answers.length * share * (1 - share));
    const mean = answers.length * share;
    ok(Math.abs(count - mean) <= spread, `${pod}: ${count} of ${answers.length}, where ${mean} ± ${spread} is due`);
  }
}

test("weights are shares of new connections, at random, and follow a change", async () => {
  const planned = lab.plan();
  const weighted = (one: number, other: number, affinitySeconds?: number) =>
    servicePlan(1, portPlan(1, [target("pod1", "IPv4", one), target("pod3", "IPv4", other)], { affinitySeconds }));
  planned.set(weighted(1, 3));
  await planned.apply();
  const { pod1, pod3 } = PODS;
  inProportion(await lab.call("pod2", clusterIP(1, "IPv4"), 800), { [pod1.IPv4]: 1, [pod3.IPv4]: 3 });
  planned.set(weighted(80, 20));
  await planned.apply();
  inProportion(await lab.call("pod2", clusterIP(1, "IPv4"), 800), { [pod1.IPv4]: 4, [pod3.IPv4]: 1 });
  // With affinity it is clients that are shared out.
  planned.set(weighted(1, 9, 60));
  await planned.apply();
  const clients = CLIENTS.IPv4;
  const first = await Promise.all(
    clients.map(async (from) => (await lab.call("client", clusterIP(1, "IPv4"), 1, { from }))[0]!),
  );
  inProportion(first, { [pod1.IPv4]: 1, [pod3.IPv4]: 9 });
});

test("round-robin goes in turn, whatever other Services of its size are called between", async () => {
  const planned = lab.plan();
  const targets = (["pod1", "pod2", "pod3"] as const).map((pod) => target(pod));
  for (const number of [1, 2]) {
    planned.set(servicePlan(number, portPlan(number, targets, { balance: "round-robin" })));
  }
  await planned.apply();
  const turns: string[] = [];
  for (let at = 0; at < 12; at++) {
    turns.push(...podsOf(await lab.call("client", clusterIP(1, "IPv4"), 1, { together: 1 })));
    for (let more = 0; more < at % 3; more++) await lab.call("client", clusterIP(2, "IPv4"), 1, { together: 1 });
  }
  deepEqual(podsOf(turns).length, 3);
  for (const [at, pod] of turns.entries()) if (at >= 3) equal(pod, turns[at - 3], turns.join(" "));

  // Weights are turns.
  planned.set(servicePlan(1, portPlan(1, [target("pod1"), target("pod3", "IPv4", 2)], { balance: "round-robin" })));
  await planned.apply();
  const weighted = await lab.call("client", clusterIP(1, "IPv4"), 12, { together: 1 });
  equal(weighted.filter((answer) => answer.startsWith(PODS.pod1.IPv4)).length, 4);
});

const where = async (number: number, family: IPFamily): Promise<Map<string, string>> =>
  new Map(
    await Promise.all(
      CLIENTS[family].map(async (from) => {
        const pods = podsOf(await lab.call("client", clusterIP(number, family), 3, { from }));
        equal(pods.length, 1, `${from} always gets to ${pods.join(", ")}`);
        return [from, pods[0]!] as const;
      }),
    ),
  );

for (const family of ["IPv4", "IPv6"] as const) {
  test(`maglev and source-hash choose by the client's address (${family})`, async () => {
    const planned = lab.plan();
    const targets = (["pod1", "pod2", "pod3", "pod4"] as const).map((pod) => target(pod, family));
    const balances = ["maglev", "source-hash"] as const;
    const set = (reached: typeof targets): void => {
      for (const [at, balance] of balances.entries()) {
        planned.set(servicePlan(at + 1, portPlan(at + 1, reached, { family, balance })));
      }
    };
    set(targets);
    await planned.apply();
    const before = await where(1, family);
    ok(podsOf([...before.values()]).length >= 3, "clients are spread");
    ok(podsOf([...(await where(2, family)).values()]).length >= 3, "clients are spread");

    const gone = [...before.values()][0]!;
    set(targets.filter(({ ip }) => ip !== gone));
    await planned.apply();
    const after = await where(1, family);
    const others = [...before].filter(([, pod]) => pod !== gone);
    const moved = others.filter(([client, pod]) => after.get(client) !== pod);
    ok(moved.length <= others.length * 0.2, `${moved.length} of ${others.length} clients moved without need`);
    ok(![...after.values()].includes(gone));

    // Who comes back finds its clients again: nothing but the list decides, so all nodes agree.
    set(targets);
    await planned.apply();
    deepEqual(await where(1, family), before);
  });
}

test("maglev with affinity: a client stays though the table changes; least-connections is random here", async () => {
  const planned = lab.plan();
  const pods = (["pod1", "pod3"] as const).map((pod) => target(pod));
  planned.set(
    servicePlan(1, portPlan(1, [pods[0]!], { balance: "maglev", affinitySeconds: 60 })),
    servicePlan(2, portPlan(2, pods, { balance: "least-connections" })),
  );
  await planned.apply();
  await where(1, "IPv4");
  planned.set(servicePlan(1, portPlan(1, pods, { balance: "maglev", affinitySeconds: 60 })));
  await planned.apply();
  deepEqual(podsOf([...(await where(1, "IPv4")).values()]), [PODS.pod1.IPv4]);
  inProportion(await lab.call("pod2", clusterIP(2, "IPv4"), 200), { [PODS.pod1.IPv4]: 1, [PODS.pod3.IPv4]: 1 });
});

test("chains of sizes that no list has any more make room, and traffic does not notice", async () => {
  const planned = lab.plan();
  const sticky = (at: number, affinitySeconds: number) =>
    servicePlan(
      at,
      portPlan(at, [target("pod1"), target("pod2")], { affinitySeconds, frontends: [], nodePort: 20_000 + at }),
    );
  planned.set(servicePlan(1, portPlan(1, [target("pod1")])));
  for (let at = 2; at < 1700; at++) planned.set(sticky(at, at));
  await planned.apply();
  const chains = async (): Promise<number> =>
    [...(await lab.nft("list", "chains", "ip")).matchAll(/chain \S+ \{/g)].length;
  ok((await chains()) > 1600, `${await chains()} chains`);
  for (let at = 2; at < 1700; at++) planned.set(sticky(at, 60));
  await planned.apply();
  planned.set(sticky(2, 61));
  await planned.apply();
  const few = planned.applied!.shapesLeft("IPv4");
  ok(few > 2000, `${few} numbers are free again`);
  deepEqual(podsOf(await lab.call("node", clusterIP(1, "IPv4"), 2)), [PODS.pod1.IPv4]);
  const { client } = NODE.IPv4;
  equal(podsOf(await lab.call("client", client, 4, { port: 20_002, from: CLIENTS.IPv4[0] })).length, 1);
  ok(await planned.intact());
});
