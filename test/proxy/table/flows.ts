import { deepEqual, equal } from "node:assert/strict";
import { clusterIP, service, slices } from "../lab/objects.ts";
import { PODS, PORT, type PodName } from "../lab/network.ts";
import { ownTest, type Table } from "./table.ts";

const FAMILIES = ["IPv4", "IPv6"] as const;
const ALL = ["pod1", "pod2", "pod3"] as const;
/** The Service port of the servers' port for connections that stay. */
const STAYING = PORT + 2;

/** What is under way while endpoints change. */
export function flowTests(table: Table): void {
  const open = async (pods: readonly PodName[]) => {
    const carried = table.carry();
    const staying = service("staying", 70, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] });
    const set = async (now: readonly PodName[]): Promise<void> => {
      const made = slices("staying", now, ["tcp"]).map((slice) => ({
        ...slice,
        ports: slice.ports!.map((port) => ({ ...port, port: STAYING })),
      }));
      carried.set(staying, made);
      await carried.apply();
    };
    await set(pods);
    return set;
  };

  ownTest(
    table,
    "PRX-026, PRX-049: a connection under way outlives its endpoint, and the last one",
    undefined,
    async () => {
      const set = await open(["pod1"]);
      const say = (place: "pod2" | "client" | "node", name: string): Promise<string[][]> =>
        Promise.all(
          FAMILIES.map((family) => {
            const keep = `${name} ${family}`;
            const ip = clusterIP(70, family);
            return table.network().call(place, { protocol: "TCP", ip, port: 80, times: 2, keep });
          }),
        );
      const places = ["pod2", "client", "node"] as const;
      const expected = FAMILIES.map((family) => Array(2).fill(PODS.pod1[family]));
      for (const place of places) deepEqual(await say(place, "stays"), expected, `${place} is connected`);
      await set(["pod2"]);
      for (const place of places)
        deepEqual(await say(place, "stays"), expected, `${place}, after its endpoint is gone`);
      await set([]);
      for (const place of places)
        deepEqual(await say(place, "stays"), expected, `${place}, after the last one is gone`);
    },
  );

  ownTest(
    table,
    "PRX-273: the datagrams of one socket stay with one pod, those of others choose anew",
    undefined,
    async () => {
      const carried = table.carry();
      carried.set(service("datagrams", 71), slices("datagrams", ALL));
      await carried.apply();
      for (const family of FAMILIES) {
        const pods = new Set<string>();
        for (let flow = 0; flow < 40 && pods.size < ALL.length; flow++) {
          const request = { protocol: "UDP", ip: clusterIP(71, family), port: 80, times: 5 } as const;
          const answers = await table.network().call("client", { ...request, keep: `flow ${flow} ${family}` });
          const seen = new Set(answers.map((answer) => answer.split(" ")[0]!));
          equal(seen.size, 1, `one socket was answered by ${[...seen].join(", ")}`);
          for (const pod of seen) pods.add(pod);
        }
        deepEqual([...pods].toSorted(), ALL.map((pod) => PODS[pod][family]).toSorted());
      }
    },
  );
}
