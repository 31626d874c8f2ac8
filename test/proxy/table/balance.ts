import { deepEqual, equal, ok } from "node:assert/strict";
import type { IPFamily } from "../../../src/net/ip.ts";
import type { Balance, ServicePortPlan, Target } from "../../../src/proxy/plan/plan.ts";
import type { CallRequest } from "../lab/caller.ts";
import { PORT, type PodName } from "../lab/network.ts";
import { clusterIP } from "../lab/objects.ts";
import { portPlan, servicePlan, target } from "../lab/planned.ts";
import { clients, podOf } from "./affinity.ts";
import { unusual, usualCounts } from "./binomial.ts";
import { podAt } from "./check.ts";
import { lack } from "./subject.ts";
import { ownTest, type Table } from "./table.ts";

const THREE = ["pod1", "pod2", "pod3"] as const;
/** Of connections under way a busy endpoint may have this much more than the mean (least-connections). */
const BUSIEST = 1.1;

const podsOf = (answers: readonly string[]): string[] =>
  answers.map((answer) => podAt(answer.split(" ")[0]!) ?? answer);
const tally = (pods: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const pod of pods) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  return counts;
};

/** A sample is out of the usual once in a thousand times; two in a row are no chance. */
async function usual(sample: () => Promise<readonly string[]>): Promise<void> {
  const first = await sample();
  if (first.length > 0) deepEqual(await sample(), [], `as before: ${first.join(", ")}`);
}

/** How new connections are shared out. */
export function balanceTests(table: Table): void {
  const carry = async (targets: readonly Target[], change: Partial<ServicePortPlan> = {}): Promise<void> => {
    const carried = table.carry();
    carried.setPlan(servicePlan(80, portPlan(80, targets, change)));
    await carried.apply();
  };
  const all = (family: IPFamily = "IPv4", pods: readonly PodName[] = THREE): Target[] =>
    pods.map((pod) => target(pod, family));
  const call = async (times: number, more: Partial<CallRequest> = {}, family: IPFamily = "IPv4"): Promise<string[]> =>
    podsOf(
      await table
        .network()
        .call("pod2", { protocol: "TCP", ip: clusterIP(80, family), port: 80, times, together: 1, ...more }),
    );
  const third = { pod1: 1 / 3, pod2: 1 / 3, pod3: 1 / 3 };

  const atRandom = async (): Promise<void> => {
    for (const [family, protocol] of [
      ["IPv4", "TCP"],
      ["IPv6", "UDP"],
    ] as const) {
      await carry(all(family), { family, protocol, balance: "random" });
      await usual(async () => {
        const pods = await call(600, { protocol }, family);
        const twice = pods.filter((pod, at) => at > 0 && pod === pods[at - 1]).length;
        const { least, most } = usualCounts(599, 1 / 3);
        const runs = twice < least || twice > most ? [`the same pod twice running: ${twice} times`] : [];
        return [...unusual(tally(pods), third), ...runs];
      });
    }
  };
  const evenly = async (balance: Balance | undefined): Promise<void> => {
    await carry(all(), { balance });
    const counts = tally(await call(300));
    deepEqual([...counts.keys()].toSorted(), [...THREE]);
    for (const [pod, count] of counts) ok(count >= 60, `${pod} got ${count} of 300`);
  };
  ownTest(table, "PRX-027, PRX-137: connections are spread at random, each by itself", "random", atRandom, {
    name: "asked for chance, connections are spread evenly",
    run: () => evenly("random"),
  });
  ownTest(table, "PRX-027, PRX-137: nothing said, all get the same share", undefined, () => evenly(undefined));

  const oneToThree = [target("pod1", "IPv4", 1), target("pod3", "IPv4", 3)];
  const unweighted = {
    name: "without weights all get the same share",
    run: async (): Promise<void> => {
      await carry(oneToThree);
      const counts = tally(await call(200));
      for (const pod of ["pod1", "pod3"]) ok((counts.get(pod) ?? 0) >= 60, `${pod} got ${counts.get(pod)} of 200`);
    },
  };
  ownTest(
    table,
    "weights are shares of new connections",
    "weights",
    async () => {
      const isRandom = lack(table.abilities, "random") === undefined;
      await carry(oneToThree, isRandom ? { balance: "random" } : {});
      await usual(async () => unusual(tally(await call(600)), { pod1: 0.25, pod3: 0.75 }));
    },
    unweighted,
  );

  const otherwise = (balance: Balance) => ({
    name: `asked for ${balance}, connections are spread evenly`,
    run: () => evenly(balance),
  });
  ownTest(
    table,
    "round-robin goes in turn",
    "round-robin",
    async () => {
      await carry(all(), { balance: "round-robin" });
      const pods = await call(30);
      deepEqual([...new Set(pods)].toSorted(), [...THREE]);
      for (const [at, pod] of pods.entries()) if (at >= 3) equal(pod, pods[at - 3], pods.join(" "));
    },
    otherwise("round-robin"),
  );

  for (const balance of ["maglev", "source-hash"] as const) {
    ownTest(
      table,
      `${balance} chooses by the client's address`,
      balance,
      async () => {
        for (const family of ["IPv4", "IPv6"] as const) {
          const four = [...THREE, "pod4"] as const;
          const where = async (): Promise<Map<string, string>> =>
            new Map(
              await Promise.all(
                clients(family).map(
                  async (from) => [from, await podOf(table, from, clusterIP(80, family), 80, 3)] as const,
                ),
              ),
            );
          await carry(all(family, four), { family, balance });
          const before = await where();
          ok(new Set(before.values()).size >= 3, "clients are spread");
          const gone = before.values().next().value!;
          await carry(
            all(
              family,
              four.filter((pod) => pod !== gone),
            ),
            { family, balance },
          );
          const between = await where();
          ok(![...between.values()].includes(gone), `${gone} has no clients left`);
          const stayed = [...before].filter(([, pod]) => pod !== gone);
          const moved = stayed.filter(([client, pod]) => between.get(client) !== pod).length;
          if (balance === "maglev") ok(moved <= stayed.length * 0.2, `${moved} of ${stayed.length} moved without need`);
          // Nothing but the list decides, so who comes back finds its clients again.
          await carry(all(family, four), { family, balance });
          deepEqual(await where(), before);
        }
      },
      otherwise(balance),
    );
  }

  ownTest(
    table,
    "least-connections: of 60 long connections to three pods the busiest has at most a tenth more than the mean",
    "least-connections",
    async () => {
      await carry(
        all().map((one) => ({ ...one, port: PORT + 2 })),
        { balance: "least-connections" },
      );
      const pods: string[] = [];
      for (let at = 0; at < 60; at++) pods.push(...(await call(1, { keep: `long ${at}` })));
      const most = Math.max(...tally(pods).values());
      ok(most <= 20 * BUSIEST, `the busiest has ${most}`);
    },
    otherwise("least-connections"),
  );

  const withDeaf = async (): Promise<string[]> => {
    await carry([...all("IPv4", ["pod1"]), { ...target("pod3"), port: 8099 }]);
    return call(40);
  };
  ownTest(
    table,
    "PRX-149: another endpoint is tried when one does not answer",
    "retry",
    async () => deepEqual([...new Set(await withDeaf())], ["pod1"]),
    {
      name: "what a dead endpoint refuses stays refused",
      run: async () => deepEqual([...new Set(await withDeaf())].toSorted(), ["pod1", "refused"]),
    },
  );
}
