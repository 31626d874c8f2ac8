import { deepEqual, ok } from "node:assert/strict";
import { PODS } from "../lab/network.ts";
import { clusterIP, service, slices } from "../lab/objects.ts";
import { ownTest, type Table } from "./table.ts";

const tally = (answers: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const pod = answer.split(" ")[0]!;
    counts.set(pod, (counts.get(pod) ?? 0) + 1);
  }
  return counts;
};

/** How new connections are shared out. */
export function balanceTests(table: Table): void {
  ownTest(table, "PRX-027: connections are spread at random", "random", async () => {
    const carried = table.carry();
    carried.set(service("spread", 1), slices("spread", ["pod1", "pod2", "pod3"]));
    await carried.apply();
    const ip = clusterIP(1, "IPv4");
    const answers = await table.network().call("pod2", { protocol: "TCP", ip, port: 80, times: 600, together: 1 });
    const counts = tally(answers);
    deepEqual([...counts.keys()].toSorted(), [PODS.pod1.IPv4, PODS.pod2.IPv4, PODS.pod3.IPv4]);
    for (const [pod, count] of counts) ok(count >= 150 && count <= 250, `${pod} got ${count} of 600`);
    const twice = answers.filter((answer, at) => at > 0 && answer.split(" ")[0] === answers[at - 1]!.split(" ")[0]);
    ok(twice.length >= 140 && twice.length <= 260, `the same pod twice running: ${twice.length} times`);
  });
}
