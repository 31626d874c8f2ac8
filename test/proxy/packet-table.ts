import { deepEqual, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import type { Host } from "../../src/host/host.ts";
import type { IPFamily } from "../../src/net/ip.ts";
import type { ProxyEngine } from "../../src/proxy/engine.ts";
import { Carried } from "./lab/carried.ts";
import { CLIENT, NODE, openNetwork, PODS, type Network, type Place, type PodName } from "./lab/network.ts";
import { clusterIP, externalIP, service, slices } from "./lab/objects.ts";

type From = "pod1" | "node" | "client";
type To = "clusterIP" | "nodePort" | "externalIP" | "wrongPort" | "unassigned";

/** What is to happen: the pods that answer and the source they see, a refusal, or silence. */
type Expected = "refused" | "dropped" | { readonly pods: readonly PodName[]; readonly source: "kept" | "node" };

interface Row {
  readonly name: string;
  readonly service: string;
  readonly to: To;
  readonly expected: Readonly<Record<From, Expected>>;
}

const nodePorts = (number: number): NonNullable<Service["spec"]>["ports"] => [
  { name: "tcp", port: 80, protocol: "TCP", nodePort: 30000 + number },
  { name: "udp", port: 80, protocol: "UDP", nodePort: 30000 + number },
];

interface Case {
  readonly number: number;
  readonly spec: NonNullable<Service["spec"]>;
  readonly pods: readonly PodName[];
}

const ways = (number: number): NonNullable<Service["spec"]> => ({
  type: "NodePort",
  ports: nodePorts(number),
  externalIPs: [externalIP(number, "IPv4"), externalIP(number, "IPv6")],
});

const CASES: Readonly<Record<string, Case>> = {
  cluster: { number: 1, spec: ways(1), pods: ["pod1", "pod2", "pod3"] },
  externalLocal: { number: 2, spec: { ...ways(2), externalTrafficPolicy: "Local" }, pods: ["pod1", "pod2", "pod3"] },
  internalLocal: { number: 3, spec: { ...ways(3), internalTrafficPolicy: "Local" }, pods: ["pod1", "pod2", "pod3"] },
  empty: { number: 4, spec: ways(4), pods: [] },
  externalFar: { number: 5, spec: { ...ways(5), externalTrafficPolicy: "Local" }, pods: ["pod3", "pod4"] },
  internalFar: { number: 6, spec: { ...ways(6), internalTrafficPolicy: "Local" }, pods: ["pod3", "pod4"] },
  itself: { number: 7, spec: ways(7), pods: ["pod1"] },
};

const E = ["pod1", "pod2", "pod3"] as const;
const L = ["pod1", "pod2"] as const;
const FAR = ["pod3", "pod4"] as const;
const same = (expected: Expected): Row["expected"] => ({ pod1: expected, node: expected, client: expected });
const kept = (pods: readonly PodName[]): Expected => ({ pods, source: "kept" });
const node = (pods: readonly PodName[]): Expected => ({ pods, source: "node" });

const ROWS: readonly Row[] = [
  {
    name: "PRX-052: a clusterIP keeps the source of pods only",
    service: "cluster",
    to: "clusterIP",
    expected: { pod1: kept(E), node: node(E), client: node(E) },
  },
  { name: "PRX-053: a nodePort shows the node", service: "cluster", to: "nodePort", expected: same(node(E)) },
  { name: "PRX-054: an externalIP shows the node", service: "cluster", to: "externalIP", expected: same(node(E)) },
  {
    name: "PRX-055: externalTrafficPolicy Local does not touch the clusterIP",
    service: "externalLocal",
    to: "clusterIP",
    expected: { pod1: kept(E), node: node(E), client: node(E) },
  },
  {
    name: "PRX-056, PRX-038, PRX-039: nodePort with externalTrafficPolicy Local",
    service: "externalLocal",
    to: "nodePort",
    expected: { pod1: kept(E), node: node(E), client: kept(L) },
  },
  {
    name: "PRX-057, PRX-038, PRX-039: externalIP with externalTrafficPolicy Local",
    service: "externalLocal",
    to: "externalIP",
    expected: { pod1: kept(E), node: node(E), client: kept(L) },
  },
  {
    name: "PRX-058: clusterIP with internalTrafficPolicy Local",
    service: "internalLocal",
    to: "clusterIP",
    expected: { pod1: kept(L), node: node(L), client: node(L) },
  },
  {
    name: "PRX-059: internalTrafficPolicy Local does not touch nodePorts",
    service: "internalLocal",
    to: "nodePort",
    expected: same(node(E)),
  },
  {
    name: "PRX-059: internalTrafficPolicy Local does not touch externalIPs",
    service: "internalLocal",
    to: "externalIP",
    expected: same(node(E)),
  },
  {
    name: "PRX-063: a pod reaches itself through its own clusterIP",
    service: "itself",
    to: "clusterIP",
    expected: { pod1: node(["pod1"]), node: node(["pod1"]), client: node(["pod1"]) },
  },
  {
    name: "PRX-063: a pod reaches itself through its own nodePort",
    service: "itself",
    to: "nodePort",
    expected: same(node(["pod1"])),
  },
  {
    name: "PRX-045: the clusterIP of a Service without endpoints refuses",
    service: "empty",
    to: "clusterIP",
    expected: same("refused"),
  },
  {
    name: "PRX-045, PRX-048: the nodePort of a Service without endpoints refuses",
    service: "empty",
    to: "nodePort",
    expected: same("refused"),
  },
  {
    name: "PRX-045: the externalIP of a Service without endpoints refuses",
    service: "empty",
    to: "externalIP",
    expected: same("refused"),
  },
  {
    name: "PRX-046: externalTrafficPolicy Local without a local endpoint is silence for outsiders (nodePort)",
    service: "externalFar",
    to: "nodePort",
    expected: { pod1: kept(FAR), node: node(FAR), client: "dropped" },
  },
  {
    name: "PRX-046: externalTrafficPolicy Local without a local endpoint is silence for outsiders (externalIP)",
    service: "externalFar",
    to: "externalIP",
    expected: { pod1: kept(FAR), node: node(FAR), client: "dropped" },
  },
  {
    name: "PRX-047: internalTrafficPolicy Local without a local endpoint is silence",
    service: "internalFar",
    to: "clusterIP",
    expected: same("dropped"),
  },
  { name: "PRX-047: and its nodePort works", service: "internalFar", to: "nodePort", expected: same(node(FAR)) },
  {
    name: "PRX-071: a wrong port of a clusterIP is refused",
    service: "cluster",
    to: "wrongPort",
    expected: same("refused"),
  },
  {
    name: "PRX-072: an unassigned address of the range is silence",
    service: "cluster",
    to: "unassigned",
    expected: same("dropped"),
  },
];

function addressOf(row: Row, family: IPFamily): { ip: string; port: number } {
  const { number } = CASES[row.service]!;
  switch (row.to) {
    case "clusterIP":
      return { ip: clusterIP(number, family), port: 80 };
    case "nodePort":
      return { ip: NODE[family].client, port: 30000 + number };
    case "externalIP":
      return { ip: externalIP(number, family), port: 80 };
    case "wrongPort":
      return { ip: clusterIP(number, family), port: 81 };
    case "unassigned":
      return { ip: clusterIP(199, family), port: 80 };
  }
}

const podAt = (address: string): PodName =>
  (Object.keys(PODS) as PodName[]).find((pod) => PODS[pod].IPv4 === address || PODS[pod].IPv6 === address)!;

/** `pod source-class` of an answer; an answer without a pod is itself. */
function classOf(answer: string, from: From, family: IPFamily): string {
  const [server = "", source = ""] = answer.split(" ");
  const pod = podAt(server);
  if (pod === undefined) return answer;
  const own = from === "client" ? CLIENT[family] : from === "pod1" ? PODS.pod1[family] : "";
  const seen = source === own ? "kept" : Object.values(NODE[family]).includes(source as never) ? "node" : source;
  return `${pod} ${seen}`;
}

function wanted(expected: Expected, from: From, protocol: "TCP" | "UDP"): string[] {
  if (expected === "refused" || expected === "dropped") {
    if (from === "node" && protocol === "UDP") return ["not permitted"];
    return [expected === "refused" ? "refused" : "timeout"];
  }
  // A pod never sees its own address as the source of a call to itself (PRX-063).
  const source = (pod: PodName): string => (pod === from ? "node" : expected.source);
  return expected.pods.map((pod) => `${pod} ${source(pod)}`).toSorted();
}

async function checkRow(network: Network, row: Row): Promise<void> {
  const cells = (["IPv4", "IPv6"] as const).flatMap((family) =>
    (["TCP", "UDP"] as const).flatMap((protocol) =>
      (["pod1", "node", "client"] as const).map(async (from) => {
        const expected = row.expected[from];
        const many = typeof expected !== "string";
        const times = many ? (expected.pods.length === 1 ? 3 : 40) : 2;
        const wait = expected === "dropped" ? 300 : 5000;
        const own = from === "client" ? { from: CLIENT[family] } : {};
        const call = { protocol, ...addressOf(row, family), times, wait, together: 2, ...own };
        const answers = await network.call(from, call);
        const seen = [...new Set(answers.map((answer) => classOf(answer, from, family)))].toSorted();
        return { cell: `${from} ${protocol} ${family}`, seen, expected: wanted(expected, from, protocol) };
      }),
    ),
  );
  const results = await Promise.all(cells);
  deepEqual(
    Object.fromEntries(results.map(({ cell, seen }) => [cell, seen])),
    Object.fromEntries(results.map(({ cell, expected }) => [cell, expected])),
  );
}

const tally = (answers: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const pod = answer.split(" ")[0]!;
    counts.set(pod, (counts.get(pod) ?? 0) + 1);
  }
  return counts;
};

/** The promise of every engine, with real packets: who is reached from where, and as whom. */
export function packetTable<P, F, A>(name: string, open: (host: Host) => ProxyEngine<P, F, A>): void {
  let network: Network;
  let carried: Carried<P, F, A>;

  before(async () => {
    network = await openNetwork();
    carried = new Carried(open(network.at("node")));
    for (const [key, { number, spec, pods }] of Object.entries(CASES)) {
      carried.set(service(key.toLowerCase(), number, spec), slices(key.toLowerCase(), pods));
    }
    await carried.apply();
  });
  after(async () => {
    await carried?.engine.close();
    await network?.close();
  });

  for (const row of ROWS) test(`${name}: ${row.name}`, () => checkRow(network, row));

  test(`${name}: PRX-027: 600 connections are spread at random`, async () => {
    const ip = clusterIP(1, "IPv4");
    const answers = await network.call("pod2", { protocol: "TCP", ip, port: 80, times: 600, together: 1 });
    const counts = tally(answers);
    deepEqual(
      [...counts.keys()].toSorted(),
      E.map((pod) => PODS[pod].IPv4),
    );
    for (const [pod, count] of counts) ok(count >= 150 && count <= 250, `${pod} got ${count} of 600`);
    const twice = answers.filter((answer, at) => at > 0 && answer.split(" ")[0] === answers[at - 1]!.split(" ")[0]);
    ok(twice.length >= 140 && twice.length <= 260, `the same pod twice running: ${twice.length} times`);
  });

  const clients = (family: IPFamily): string[] =>
    Array.from({ length: 30 }, (_, at) =>
      family === "IPv4" ? `192.168.8.${at + 2}` : `fd00:8::${(at + 2).toString(16)}`,
    );
  const podOf = async (
    from: string,
    ip: string,
    port: number,
    times = 20,
    place: Place = "client",
  ): Promise<string> => {
    const answers = await network.call(place, { protocol: "TCP", ip, port, times, from, together: 1 });
    const pods = [...tally(answers).keys()];
    deepEqual(pods.length, 1, `${from} to ${ip} stays with one pod, but was answered by ${pods.join(", ")}`);
    return podAt(pods[0]!);
  };

  for (const family of ["IPv4", "IPv6"] as const) {
    test(`${name}: PRX-096, PRX-098: ClientIP affinity holds, and only a removed pod's clients move (${family})`, async () => {
      const ip = clusterIP(20, family);
      const sticky = service("sticky", 20, { sessionAffinity: "ClientIP" });
      carried.set(sticky, slices("sticky", ["pod1", "pod2", "pod3"]));
      await carried.apply();
      const where = async (): Promise<Map<string, string>> =>
        new Map(await Promise.all(clients(family).map(async (from) => [from, await podOf(from, ip, 80)] as const)));
      const first = await where();
      deepEqual([...new Set(first.values())].toSorted(), [...E]);
      carried.set(sticky, slices("sticky", ["pod1", "pod3"]));
      await carried.apply();
      const second = await where();
      for (const [from, pod] of first) {
        if (pod === "pod2") ok(["pod1", "pod3"].includes(second.get(from)!), `${from} left pod2 for another`);
        else deepEqual(second.get(from), pod, `${from} stays`);
      }
      deepEqual(await where(), second);
      carried.remove(sticky, slices("sticky", []));
      await carried.apply();
    });
  }

  test(`${name}: PRX-096: two ports of one Service remember apart, access paths of one port together`, async () => {
    const ports = [
      { name: "tcp", port: 80, protocol: "TCP", nodePort: 30021 },
      { name: "tcp2", port: 81, protocol: "TCP", nodePort: 30022 },
    ];
    const spec = { sessionAffinity: "ClientIP", type: "NodePort", ports };
    carried.set(service("ports", 21, spec), slices("ports", ["pod1", "pod2", "pod3"], ["tcp", "tcp2"]));
    await carried.apply();
    const ip = clusterIP(21, "IPv4");
    let differ = 0;
    for (const from of clients("IPv4")) {
      const one = await podOf(from, ip, 80, 3);
      deepEqual(await podOf(from, NODE.IPv4.client, 30021, 3), one);
      if ((await podOf(from, ip, 81, 3)) !== one) differ++;
    }
    ok(differ > 5, `${differ} of 30 clients have different pods on the two ports`);
  });
}
