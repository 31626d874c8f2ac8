import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host, Running } from "../../../src/host/host.ts";
import { ipBatch } from "../../../src/host/ip.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { shellHost } from "../../lab/shell-host.ts";
import type { CallRequest } from "./caller.ts";

/**
 *   client ── 192.168.8.0/24, fd00:8::/64 ── node ── 192.168.7.0/24, fd00:7::/64 ── node2 (pods 3 and 4 live on its lo)
 *                                             │    host1, host2: pods that use the addresses of node and node2
 *                                             ├── pod1   routed veth, 10.244.0.11, fd00:244::11
 *                                             └── pod2   routed veth, 10.244.0.12, fd00:244::12
 */
export const PODS = {
  pod1: { IPv4: "10.244.0.11", IPv6: "fd00:244::11", node: "node1" },
  pod2: { IPv4: "10.244.0.12", IPv6: "fd00:244::12", node: "node1" },
  pod3: { IPv4: "10.244.1.13", IPv6: "fd00:244:0:1::13", node: "node2" },
  pod4: { IPv4: "10.244.1.14", IPv6: "fd00:244:0:1::14", node: "node2" },
  // Pods in the networks of their nodes.
  host1: { IPv4: "192.168.8.1", IPv6: "fd00:8::1", node: "node1" },
  host2: { IPv4: "192.168.7.2", IPv6: "fd00:7::2", node: "node2" },
} as const;
export type PodName = keyof typeof PODS;
/** The node's addresses toward the client and toward the other node, and inside the range of pods. */
export const NODE = {
  IPv4: { client: "192.168.8.1", node2: "192.168.7.1", pods: "10.244.0.1" },
  IPv6: { client: "fd00:8::1", node2: "fd00:7::1", pods: "fd00:244::1" },
} as const;
export const CLIENT = { IPv4: "192.168.8.2", IPv6: "fd00:8::2" } as const;
export const PORT = 8080;

export type Place = "pod1" | "pod2" | "node" | "node2" | "client";
const PLACES: readonly Place[] = ["node", "pod1", "pod2", "node2", "client"];

/** A host whose programs run in a network namespace. */
export const inNamespace = (host: Host, name: string): Host => {
  const wrap = (command: string, args: readonly string[]): [string, string[]] => [
    "nsenter",
    [`--net=/run/netns/${name}`, "--", command, ...args],
  ];
  return {
    ...host,
    run: (command, args, options) => host.run(...wrap(command, args), options),
    check: (command, args, options) => host.check(...wrap(command, args), options),
    open: (command, args, options) => host.open(...wrap(command, args), options),
  };
};

export interface Network {
  /** Runs programs in a place. */
  at(place: Place): Host;
  call(from: Place, request: Omit<CallRequest, "id" | "wait" | "together"> & Partial<CallRequest>): Promise<string[]>;
  close(): Promise<void>;
}

interface Caller {
  readonly running: Running;
  readonly waiting: Map<number, (answers: string[]) => void>;
}

/** How a network is made. */
export interface NetworkOptions {
  /**
   * The node is the machine that we are on, which nobody else uses, and a shell starts its programs: in user-mode Linux each of them costs a
   * tenth of a second, and several times that by way of another namespace and from a process as large as Node.
   */
  readonly nodeIsHere?: boolean;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function wire(host: Host, at: (place: Place) => Host, name: (place: Place) => string): Promise<void> {
  const [node, node2, client] = [name("node"), name("node2"), name("client")];
  for (const place of PLACES) {
    const isHere = at(place) === host;
    await host.check("ip", [
      "netns",
      ...(isHere ? ["attach", name(place), String(process.pid)] : ["add", name(place)]),
    ]);
    await ipBatch(host, ["link set lo up"], name(place));
    const inside = at(place);
    // Who is not a router is silent about what is not for him: a packet to nobody's address ends there.
    const forwards = place === "node" || place === "node2" ? 1 : 0;
    await inside.check("sysctl", [
      "-qw",
      `net.ipv4.ip_forward=${forwards}`,
      `net.ipv6.conf.all.forwarding=${forwards}`,
      "net.ipv4.conf.all.send_redirects=0",
      "net.ipv4.conf.default.send_redirects=0",
      "net.ipv6.conf.all.accept_redirects=0",
      "net.ipv6.conf.default.accept_redirects=0",
      // No ICMP error is held back, by no limit: the masks say to which types the limit of the whole machine applies.
      "net.ipv4.icmp_ratelimit=0",
      "net.ipv4.icmp_ratemask=0",
      "net.ipv6.icmp.ratelimit=0",
      "net.ipv6.icmp.ratemask=2",
      "net.ipv4.conf.all.rp_filter=0",
      "net.ipv4.conf.default.rp_filter=0",
    ]);
  }
  await ipBatch(
    host,
    [
      `link add toclient type veth peer name eth0 netns ${client}`,
      `link add tonode2 type veth peer name eth0 netns ${node2}`,
      ...(["pod1", "pod2"] as const).map((pod) => `link add fl${pod} type veth peer name eth0 netns ${name(pod)}`),
      "addr add 192.168.8.1/24 dev toclient",
      "addr add fd00:8::1/64 dev toclient nodad",
      "addr add 192.168.7.1/24 dev tonode2",
      "addr add fd00:7::1/64 dev tonode2 nodad",
      ...["toclient", "tonode2", "flpod1", "flpod2"].map((link) => `link set ${link} up`),
      "route add default via 192.168.8.2",
      "route add default via fd00:8::2",
      "route add 10.244.1.0/24 via 192.168.7.2",
      "route add fd00:244:0:1::/64 via fd00:7::2",
      // What nobody stops on its way to a Service's address ends on the other node, which refuses for two and is silent for the others.
      "route add 10.96.0.0/15 via 192.168.7.2 src 192.168.8.1",
      "route add fd00:10:96::/111 via fd00:7::2 src fd00:8::1",
      ...(["pod1", "pod2"] as const).flatMap((pod) => [
        `addr add 10.244.0.1/32 dev fl${pod}`,
        `addr add fd00:244::1/128 dev fl${pod} nodad`,
        `route add ${PODS[pod].IPv4} dev fl${pod} src 10.244.0.1`,
        `route add ${PODS[pod].IPv6} dev fl${pod} src fd00:244::1`,
      ]),
    ],
    node,
  );
  for (const pod of ["pod1", "pod2"] as const) {
    await ipBatch(
      host,
      [
        `addr add ${PODS[pod].IPv4}/32 dev eth0`,
        `addr add ${PODS[pod].IPv6}/128 dev eth0 nodad`,
        "link set eth0 up",
        "route add 10.244.0.1 dev eth0",
        "route add default via 10.244.0.1",
        "route add fd00:244::1 dev eth0",
        "route add default via fd00:244::1",
      ],
      name(pod),
    );
  }
  const edge = (net: number, own: readonly string[]): string[] => [
    `addr add 192.168.${net}.2/24 dev eth0`,
    `addr add fd00:${net}::2/64 dev eth0 nodad`,
    "link set eth0 up",
    `route add default via 192.168.${net}.1`,
    `route add default via fd00:${net}::1`,
    ...own,
  ];
  const remote = [PODS.pod3, PODS.pod4].flatMap((pod) => [
    `addr add ${pod.IPv4}/32 dev lo`,
    `addr add ${pod.IPv6}/128 dev lo nodad`,
  ]);
  const nobodys = [
    "addr add 10.96.0.46/32 dev lo",
    "addr add 10.96.0.199/32 dev lo",
    "addr add fd00:10:96::2e/128 dev lo nodad",
    "addr add fd00:10:96::c7/128 dev lo nodad",
  ];
  await ipBatch(host, edge(7, [...remote, ...nobodys]), node2);
  // Only for what comes from outside: its own pods call Services by way of the node.
  const at2 = at("node2");
  await at2.check("ip", ["-4", "rule", "add", "iif", "eth0", "to", "10.96.0.0/15", "blackhole"]);
  await at2.check("ip", ["-6", "rule", "add", "iif", "eth0", "to", "fd00:10:96::/111", "blackhole"]);
  // Thirty addresses, so that thirty clients can call.
  const clients = Array.from({ length: 29 }, (_, at) => [
    `addr add 192.168.8.${at + 3}/24 dev eth0`,
    `addr add fd00:8::${(at + 3).toString(16)}/64 dev eth0 nodad`,
  ]);
  await ipBatch(host, edge(8, clients.flat()), client);
}

async function open(at: Host, port: string, pods: readonly PodName[]): Promise<Running> {
  const addresses = pods.flatMap((pod) => [PODS[pod].IPv4, PODS[pod].IPv6]);
  const running = await at.open(process.execPath, [script("server.ts"), port, ...addresses], { stderr: "inherit" });
  await new Promise((resolve) => running.stdout.once("data", resolve));
  return running;
}

/** Answers on a port of these pods as their servers do; ends with its standard input. */
export const serveOn = (at: Host, port: number, pods: readonly PodName[]): Promise<Running> =>
  open(at, String(port), pods);

/** Hosts, pods and servers in network namespaces of their own, for this process. */
export async function openNetwork({ nodeIsHere = false }: NetworkOptions = {}): Promise<Network> {
  const shell = nodeIsHere ? await shellHost(systemHost()) : undefined;
  const host = shell?.host ?? systemHost();
  const name = (place: Place): string => `flpx${process.pid}-${place}`;
  const started: Running[] = [];
  const callers = new Map<Place, Promise<Caller>>();
  let count = 0;
  const close = async (): Promise<void> => {
    for (const running of started) {
      running.stdin.end();
      running.kill();
      await running.ended;
    }
    for (const place of PLACES) await host.run("ip", ["netns", "del", name(place)]);
    await shell?.close();
  };
  const at = (place: Place): Host => (nodeIsHere && place === "node" ? host : inNamespace(host, name(place)));
  const serve = async (place: Place, pods: readonly PodName[]): Promise<void> => {
    started.push(await open(at(place), `${PORT}+`, pods));
  };
  const openCaller = async (place: Place): Promise<Caller> => {
    const running = await at(place).open(process.execPath, [script("caller.ts")], { stderr: "inherit" });
    started.push(running);
    const waiting: Caller["waiting"] = new Map();
    createInterface({ input: running.stdout }).on("line", (line) => {
      const { id, answers } = JSON.parse(line) as { id: number; answers: string[] };
      waiting.get(id)?.(answers);
      waiting.delete(id);
    });
    return { running, waiting };
  };
  try {
    await wire(host, at, name);
    await Promise.all([
      serve("pod1", ["pod1"]),
      serve("pod2", ["pod2"]),
      serve("node", ["host1"]),
      serve("node2", ["pod3", "pod4", "host2"]),
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    at,
    close,
    async call(from, request) {
      const caller = callers.get(from) ?? openCaller(from);
      callers.set(from, caller);
      const { running, waiting } = await caller;
      const id = ++count;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        running.stdin.write(`${JSON.stringify({ wait: 2000, together: 4, ...request, id })}\n`);
      });
    },
  };
}
