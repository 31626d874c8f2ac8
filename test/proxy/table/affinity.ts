import { deepEqual, equal, ok } from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { Service } from "../../../src/api/generated/types.ts";
import type { IPFamily } from "../../../src/net/ip.ts";
import { NODE, PODS, type Place, type PodName } from "../lab/network.ts";
import { clusterIP, externalIP, service, slices } from "../lab/objects.ts";
import { podAt } from "./check.ts";
import { ownTest, type Table, type Carrier } from "./table.ts";

const FAMILIES = ["IPv4", "IPv6"] as const;
const THREE = ["pod1", "pod2", "pod3"] as const;

/** Thirty addresses of the client's. */
export const clients = (family: IPFamily): string[] =>
  Array.from({ length: 30 }, (_, at) =>
    family === "IPv4" ? `192.168.8.${at + 2}` : `fd00:8::${(at + 2).toString(16)}`,
  );

/** The one pod that answers a client, however often it calls. */
export async function podOf(
  table: Table,
  from: string,
  ip: string,
  port: number,
  times: number,
  { place = "client", protocol = "TCP" }: { place?: Place; protocol?: "TCP" | "UDP" } = {},
): Promise<string> {
  const answers = await table.network().call(place, { protocol, ip, port, times, from, together: 1 });
  const pods = [...new Set(answers.map((answer) => answer.split(" ")[0]!))];
  deepEqual(pods.length, 1, `${from} to ${ip} stays with one pod, but was answered by ${pods.join(", ")}`);
  return podAt(pods[0]!) ?? pods[0]!;
}

const sticky = (number: number, timeoutSeconds?: number): Service =>
  service("sticky", number, {
    sessionAffinity: "ClientIP",
    ...(timeoutSeconds === undefined ? {} : { sessionAffinityConfig: { clientIP: { timeoutSeconds } } }),
  });

/** Session affinity by the client's address. */
export function affinityTests(table: Table): void {
  let carried: Carrier;
  const carry = async (one: Service, pods: readonly PodName[], fresh = true, ports?: string[]): Promise<void> => {
    if (fresh) carried = table.carry();
    carried.set(one, slices(one.metadata.name!, pods, ports));
    await carried.apply();
  };
  /** Where each of the thirty clients gets to. */
  const where = async (number: number, family: IPFamily, times = 3, first = 0): Promise<Map<string, string>> => {
    const ip = clusterIP(number, family);
    const all = clients(family);
    const found = [...all.slice(first), ...all.slice(0, first)].map(
      async (from) => [from, await podOf(table, from, ip, 80, times)] as const,
    );
    return new Map(await Promise.all(found));
  };

  for (const family of FAMILIES) {
    const name = `PRX-096, PRX-098, PRX-148: ClientIP affinity holds, and only a removed pod's clients move (${family})`;
    ownTest(table, name, "sessionAffinity", async () => {
      const often = Math.ceil(20 / table.scale);
      await carry(sticky(20), THREE);
      const first = await where(20, family, often);
      deepEqual([...new Set(first.values())].toSorted(), [...THREE]);
      await carry(sticky(20), ["pod1", "pod3"], false);
      const second = await where(20, family, often);
      for (const [from, pod] of first) {
        if (pod === "pod2") ok(["pod1", "pod3"].includes(second.get(from)!), `${from} left pod2 for another`);
        else deepEqual(second.get(from), pod, `${from} stays`);
      }
      deepEqual(await where(20, family), second);
    });
  }

  ownTest(table, "PRX-096: datagrams have affinity too", "sessionAffinity", async () => {
    await carry(sticky(22), THREE);
    for (const family of FAMILIES) {
      const ip = clusterIP(22, family);
      const found = clients(family).map((from) => podOf(table, from, ip, 80, 5, { protocol: "UDP" }));
      deepEqual([...new Set(await Promise.all(found))].toSorted(), [...THREE]);
    }
  });

  const ports = [
    { name: "tcp", port: 80, protocol: "TCP", nodePort: 30021 },
    { name: "tcp2", port: 81, protocol: "TCP", nodePort: 30022 },
  ];
  const externalIPs = FAMILIES.map((family) => externalIP(21, family));
  const twoPorts = (): Promise<void> =>
    carry(service("ports", 21, { sessionAffinity: "ClientIP", type: "NodePort", ports, externalIPs }), THREE, true, [
      "tcp",
      "tcp2",
    ]);
  const ip = clusterIP(21, "IPv4");
  ownTest(table, "PRX-096: two ports of one Service remember apart", "sessionAffinity", async () => {
    await twoPorts();
    const other = new Map<string, string>();
    for (const from of clients("IPv4")) other.set(from, await podOf(table, from, ip, 81, 3));
    // Every third, then those after them: whatever the turn of an engine that goes in turn, most get another pod than before.
    const turned = [0, 1, 2].flatMap((rest) => clients("IPv4").filter((_, at) => at % 3 === rest));
    let differ = 0;
    for (const from of turned) {
      if ((await podOf(table, from, ip, 80, 3)) !== other.get(from)) differ++;
    }
    ok(differ > 5, `${differ} of 30 clients have different pods on the two ports`);
  });
  const paths = (from: string): Promise<string[]> =>
    Promise.all([
      podOf(table, from, NODE.IPv4.client, 30021, 3),
      podOf(table, from, ip, 80, 3),
      podOf(table, from, externalIP(21, "IPv4"), 80, 3),
    ]);
  ownTest(
    table,
    "PRX-096: the access paths of one port remember together",
    "affinityAcrossAddresses",
    async () => {
      await twoPorts();
      for (const from of clients("IPv4")) {
        await podOf(table, from, ip, 80, 1);
        equal(new Set(await paths(from)).size, 1, `${from} by all ways`);
      }
    },
    {
      name: "each access path remembers by itself",
      run: async () => {
        await twoPorts();
        const found = await Promise.all(clients("IPv4").map(paths));
        ok(
          found.some((one) => new Set(one).size > 1),
          "some clients have several pods",
        );
      },
    },
  );

  ownTest(
    table,
    "PRX-097: a client is forgotten timeoutSeconds after its last new connection",
    "sessionAffinity",
    async () => {
      await carry(sticky(23, 1), THREE);
      const before = await where(23, "IPv4", 1);
      // Thirty clients that are all remembered, or all forgotten and found the same again: the second is not to be expected.
      for (let pause = 1200; ; pause *= 2) {
        await wait(pause * table.scale);
        // One call of somebody else: an engine that goes in turn would else begin again with the same.
        await table.network().call("pod2", { protocol: "TCP", ip: clusterIP(23, "IPv4"), port: 80, times: 1 });
        const after = await where(23, "IPv4", 1);
        if ([...after].some(([client, pod]) => before.get(client) !== pod)) return;
        ok(pause < 10_000, "all clients are still remembered after ten seconds");
      }
    },
  );

  ownTest(table, "PRX-097: and each new connection counts anew", "sessionAffinity", async () => {
    const TIMEOUT = 3;
    for (let attempt = 1; ; attempt++) {
      await carry(sticky(24, TIMEOUT), THREE);
      const started = performance.now();
      const before = await where(24, "IPv4", 1);
      let last = performance.now();
      let slowest = last - started;
      // Well over the timeout after the first call, well under it after the one before.
      while (performance.now() - started < 1.5 * TIMEOUT * 1000) {
        await wait(500);
        deepEqual(await where(24, "IPv4", 1).then((now) => (slowest < 2500 ? now : before)), before);
        slowest = Math.max(slowest, performance.now() - last);
        last = performance.now();
      }
      // Clients that had to wait longer than they are remembered show nothing.
      if (slowest < 2500) return;
      ok(attempt < 5, `this machine never calls twice within ${TIMEOUT} seconds`);
    }
  });

  ownTest(
    table,
    "PRX-099: an endpoint that was gone has no clients left when it comes back",
    "sessionAffinity",
    async () => {
      await carry(sticky(25), ["pod1"]);
      deepEqual([...new Set((await where(25, "IPv4")).values())], ["pod1"]);
      await carry(sticky(25), ["pod2"], false);
      await carry(sticky(25), ["pod1", "pod2"], false);
      deepEqual([...new Set((await where(25, "IPv4")).values())].toSorted(), ["pod1", "pod2"]);
    },
  );

  ownTest(table, "PRX-104: affinity is switched on and off for new connections", "sessionAffinity", async () => {
    const plain = service("sticky", 26);
    const call = async (): Promise<number> => {
      const request = { protocol: "TCP", ip: clusterIP(26, "IPv4"), port: 80, times: 40 } as const;
      const answers = await table.network().call("client", request);
      return new Set(answers.map((answer) => answer.split(" ")[0])).size;
    };
    await carry(plain, THREE);
    equal(await call(), 3, "without affinity");
    await carry(sticky(26), THREE, false);
    equal(await call(), 1, "with affinity");
    await carry(plain, THREE, false);
    equal(await call(), 3, "without it again");
  });

  ownTest(table, "PRX-106: clients behind one translated address share its pod", "sessionAffinity", async () => {
    const node2 = table.network().at("node2");
    const hide = ["POSTROUTING", "-s", "10.244.1.0/24", "-o", "eth0", "-j", "MASQUERADE"];
    // The one works on a kernel without iptables' old tables, the other on one without nftables for IP.
    const legacy = (verb: string) => node2.run("iptables-legacy", ["-t", "nat", verb, ...hide]);
    const isLegacy = (await legacy("-A")).code === 0;
    if (!isLegacy) await node2.check("iptables", ["-t", "nat", "-A", ...hide]);
    await carry(sticky(27), ["pod1", "pod2"]);
    try {
      const found = (["pod3", "pod4"] as const).map((pod) =>
        podOf(table, PODS[pod].IPv4, clusterIP(27, "IPv4"), 80, 10, { place: "node2" }),
      );
      equal(new Set(await Promise.all(found)).size, 1, "two clients, one address, one pod");
    } finally {
      if (isLegacy) await legacy("-D");
      else await node2.check("iptables", ["-t", "nat", "-D", ...hide]);
    }
  });
}
