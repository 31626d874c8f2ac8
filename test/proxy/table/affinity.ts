import { deepEqual, ok } from "node:assert/strict";
import type { IPFamily } from "../../../src/net/ip.ts";
import type { Carried } from "../lab/carried.ts";
import { NODE, type Place } from "../lab/network.ts";
import { clusterIP, service, slices } from "../lab/objects.ts";
import { podAt } from "./check.ts";
import { ownTest, type Table } from "./table.ts";

/** Thirty addresses of the client's. */
const clients = (family: IPFamily): string[] =>
  Array.from({ length: 30 }, (_, at) =>
    family === "IPv4" ? `192.168.8.${at + 2}` : `fd00:8::${(at + 2).toString(16)}`,
  );

/** Session affinity by the client's address. */
export function affinityTests(table: Table): void {
  const podOf = async (
    from: string,
    ip: string,
    port: number,
    times = 20,
    place: Place = "client",
  ): Promise<string> => {
    const answers = await table.network().call(place, { protocol: "TCP", ip, port, times, from, together: 1 });
    const pods = [...new Set(answers.map((answer) => answer.split(" ")[0]!))];
    deepEqual(pods.length, 1, `${from} to ${ip} stays with one pod, but was answered by ${pods.join(", ")}`);
    return podAt(pods[0]!) ?? pods[0]!;
  };
  let carried: Carried<never, never, never>;
  const fresh = (): Carried<never, never, never> => (carried = table.carry());

  for (const family of ["IPv4", "IPv6"] as const) {
    const name = `PRX-096, PRX-098: ClientIP affinity holds, and only a removed pod's clients move (${family})`;
    ownTest(table, name, "sessionAffinity", async () => {
      fresh();
      const ip = clusterIP(20, family);
      const sticky = service("sticky", 20, { sessionAffinity: "ClientIP" });
      carried.set(sticky, slices("sticky", ["pod1", "pod2", "pod3"]));
      await carried.apply();
      const where = async (): Promise<Map<string, string>> =>
        new Map(await Promise.all(clients(family).map(async (from) => [from, await podOf(from, ip, 80)] as const)));
      const first = await where();
      deepEqual([...new Set(first.values())].toSorted(), ["pod1", "pod2", "pod3"]);
      carried.set(sticky, slices("sticky", ["pod1", "pod3"]));
      await carried.apply();
      const second = await where();
      for (const [from, pod] of first) {
        if (pod === "pod2") ok(["pod1", "pod3"].includes(second.get(from)!), `${from} left pod2 for another`);
        else deepEqual(second.get(from), pod, `${from} stays`);
      }
      deepEqual(await where(), second);
    });
  }

  const ports = [
    { name: "tcp", port: 80, protocol: "TCP", nodePort: 30021 },
    { name: "tcp2", port: 81, protocol: "TCP", nodePort: 30022 },
  ];
  const twoPorts = async (): Promise<void> => {
    fresh();
    const spec = { sessionAffinity: "ClientIP", type: "NodePort", ports };
    carried.set(service("ports", 21, spec), slices("ports", ["pod1", "pod2", "pod3"], ["tcp", "tcp2"]));
    await carried.apply();
  };
  const ip = clusterIP(21, "IPv4");
  ownTest(table, "PRX-096: two ports of one Service remember apart", "sessionAffinity", async () => {
    await twoPorts();
    let differ = 0;
    for (const from of clients("IPv4")) {
      if ((await podOf(from, ip, 81, 3)) !== (await podOf(from, ip, 80, 3))) differ++;
    }
    ok(differ > 5, `${differ} of 30 clients have different pods on the two ports`);
  });
  ownTest(
    table,
    "PRX-096: the access paths of one port remember together",
    "affinityAcrossAddresses",
    async () => {
      await twoPorts();
      for (const from of clients("IPv4")) {
        deepEqual(await podOf(from, NODE.IPv4.client, 30021, 3), await podOf(from, ip, 80, 3));
      }
    },
    {
      name: "each access path remembers by itself",
      run: async () => {
        await twoPorts();
        for (const from of clients("IPv4").slice(0, 10)) {
          await podOf(from, NODE.IPv4.client, 30021, 3);
          await podOf(from, ip, 80, 3);
        }
      },
    },
  );
}
