import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Service } from "../../../src/api/generated/types.ts";
import type { Host, Running } from "../../../src/host/host.ts";
import { systemClock, type Clock } from "../../../src/observe/clock.ts";
import { ipvsEngine, type IpvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import { USUAL_OPTIONS, type IpvsOptions } from "../../../src/proxy/engines/ipvs/options.ts";
import { parseServers } from "../../../src/proxy/engines/ipvs/words.ts";
import type { Balance, ServicePlan } from "../../../src/proxy/plan/plan.ts";
import { until } from "../../lab/until.ts";
import { CLIENT, NODE, openNetwork, PODS, PORT, type Network, type Place } from "../lab/network.ts";
import { clusterIP, externalIP, nodePlan, service, slices, vip } from "../lab/objects.ts";
import { Carried } from "../lab/carried.ts";
import { portPlan, servicePlan, target } from "../lab/planned.ts";
import { everyWay } from "../table/ways.ts";

const signal = new AbortController().signal;
const STAYING = PORT + 2;
let network: Network;
let node: Host;
const engines: IpvsEngine[] = [];
const listeners: Running[] = [];

before(async () => {
  network = await openNetwork();
  node = network.at("node");
});
after(() => network?.close());
afterEach(async () => {
  for (const one of listeners.splice(0)) {
    one.kill("SIGKILL");
    await one.ended;
  }
  for (const one of engines.splice(0)) await one.close();
  const last = ipvsEngine(node, systemClock);
  await last.cleanup(signal);
  await node.run("ipvsadm", ["-C"]);
});

const open = (options: Partial<IpvsOptions> = {}, host = node, clock: Clock = systemClock): IpvsEngine => {
  const engine = ipvsEngine(host, clock, ["IPv4", "IPv6"], { ...USUAL_OPTIONS, ...options });
  engines.push(engine);
  return engine;
};
const servers = async () => parseServers((await node.check("ipvsadm", ["-S", "-n"])).stdout);
const weightsOf = async (key: string): Promise<Record<string, number>> =>
  Object.fromEntries((await servers()).get(key)?.targets ?? []);
const call = (from: Place, ip: string, times = 1, more: object = {}): Promise<string[]> =>
  network.call(from, { protocol: "TCP", ip, port: 80, times, wait: 10_000, together: 1, ...more });
const podsOf = (answers: readonly string[]): string[] => answers.map((one) => one.split(" ")[0]!);

/** Endpoints of the servers' port for connections that stay. */
const staying = (name: string, pods: Parameters<typeof slices>[1]) =>
  slices(name, pods, ["tcp"]).map((slice) => ({
    ...slice,
    ports: slice.ports!.map((one) => ({ ...one, port: STAYING })),
  }));

/** An engine that plans as annotations would have it. */
const planning = (engine: IpvsEngine, change: (plan: ServicePlan) => ServicePlan): IpvsEngine => ({
  ...engine,
  compile: (plan, on) => engine.compile(change(plan), on),
});
const balanced = (balance: Balance, engine = open()): IpvsEngine =>
  planning(engine, (plan) => ({ ...plan, ports: plan.ports.map((port) => ({ ...port, balance })) }));

const every = (name: string, number: number, spec: Service["spec"] = {}): Service => {
  const way = everyWay(number);
  return { ...service(name, number, { ...way.spec, ...spec }), status: way.status };
};

test("ipvs: PRX-182, PRX-185: clusterIP, externalIP and VIP are on an interface of our own, node ports virtual servers on node addresses, weights 1", async () => {
  const carried = new Carried(open());
  carried.set(every("all", 1), slices("all", ["pod1", "pod3"]));
  await carried.apply();
  const { stdout } = await node.check("ip", ["-br", "addr", "show", "dev", "fairlead-ipvs"]);
  for (const address of [clusterIP, externalIP, vip]) {
    for (const family of ["IPv4", "IPv6"] as const) ok(stdout.includes(`${address(1, family)}/`), stdout);
  }
  const pods = { [`${PODS.pod1.IPv4}:${PORT}`]: 1, [`${PODS.pod3.IPv4}:${PORT}`]: 1 };
  for (const address of [`${clusterIP(1, "IPv4")}:80`, `${NODE.IPv4.client}:30001`]) {
    deepEqual(await weightsOf(`-t ${address}`), pods);
    deepEqual(await weightsOf(`-u ${address}`), pods);
  }
  ok((await servers()).has(`-t [${NODE.IPv6.client}]:30001`));
});

test("ipvs: PRX-183, PRX-187: the kernel's settings, ARP and timeouts are as told", async () => {
  const carried = new Carried(open({ strictARP: true, tcpTimeout: 700, udpTimeout: 70 }));
  await carried.apply();
  const read = async (name: string): Promise<string> => (await node.check("sysctl", ["-n", name])).stdout.trim();
  for (const name of ["conntrack", "expire_nodest_conn", "expire_quiescent_template"]) {
    equal(await read(`net.ipv4.vs.${name}`), "1", name);
  }
  deepEqual([await read("net.ipv4.conf.all.arp_ignore"), await read("net.ipv4.conf.all.arp_announce")], ["1", "2"]);
  const { stdout } = await node.check("ipvsadm", ["-L", "--timeout"]);
  match(stdout, /700 120 70/);
});

test("ipvs: PRX-184: a scheduler is tried at the start, and one that the kernel has not is named", async () => {
  deepEqual(await open({ scheduler: "wlc" }).supported(), { supported: true });
  const answer = await open({ scheduler: "none-such" }).supported();
  ok(!answer.supported);
  match(answer.missing, /no IPVS scheduler none-such.*modprobe ip_vs_none-such/);
  equal((await servers()).size, 0);
  const carried = new Carried(open({ scheduler: "wlc" }));
  carried.set(service("usual", 1), slices("usual", ["pod1"]));
  await carried.apply();
  equal((await servers()).get(`-t ${clusterIP(1, "IPv4")}:80`)?.choice, "-s wlc");
});

test("ipvs: PRX-186, PRX-150: a real server that goes keeps its connections and gets no new ones, comes back with its weight, and is removed when it has none; UDP at once", async () => {
  const callbacks: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after: (_, callback) => {
      callbacks.push(callback);
      return () => {};
    },
  };
  const carried = new Carried(open({}, node, clock));
  const key = `-t ${clusterIP(1, "IPv4")}:80`;
  const [one, two, three] = (["pod1", "pod2", "pod3"] as const).map((pod) => `${PODS[pod].IPv4}:${STAYING}`) as [
    string,
    string,
    string,
  ];
  const set = async (pods: Parameters<typeof slices>[1]): Promise<void> => {
    carried.set(service("going", 1, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }), staying("going", pods));
    carried.set(service("udp", 2), slices("udp", pods));
    await carried.apply();
  };
  const say = (keep: string): Promise<string[]> => call("pod2", clusterIP(1, "IPv4"), 1, { keep });
  await set(["pod1"]);
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
  await set(["pod1", "pod2", "pod3"]);
  await set(["pod3"]);
  deepEqual(await weightsOf(key), { [one]: 0, [two]: 0, [three]: 1 });
  deepEqual(await weightsOf(`-u ${clusterIP(2, "IPv4")}:80`), { [`${PODS.pod3.IPv4}:${PORT}`]: 1 });
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
  for (const name of ["a", "b", "c"]) deepEqual(await say(name), [PODS.pod3.IPv4]);
  equal(callbacks.length, 1, "a look is due");
  callbacks.shift()!();
  await until("the one without connections to be removed", async () => (await weightsOf(key))[two] === undefined);
  deepEqual(await weightsOf(key), { [one]: 0, [three]: 1 });
  await until("the next look to be due", () => callbacks.length === 1);
  await set(["pod1", "pod3"]);
  deepEqual(await weightsOf(key), { [one]: 1, [three]: 1 });
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
});

test("ipvs: PRX-188, PRX-268: virtual servers of others stay, those in excludeCIDRs too, and ours go with interface, rules and sets", async () => {
  const others = ["-t 192.0.2.1:80", "-u 10.96.0.200:53", "-f 77"];
  await node.check("ipvsadm", ["-R"], {
    input: others.map((key) => `-A ${key} -s rr\n-a ${key} -r 192.0.2.9:80 -m -w 1\n`).join(""),
  });
  await node.check("iptables-legacy", ["-t", "filter", "-A", "INPUT", "-s", "192.0.2.7", "-j", "DROP"]);
  const engine = open({ excludeCIDRs: ["10.96.0.2/32"] });
  const carried = new Carried(engine);
  const [gone, kept] = [every("gone", 1), every("kept", 2)];
  carried.set(gone, slices("gone", ["pod1"]));
  carried.set(kept, slices("kept", ["pod1"]));
  await carried.apply();
  for (const key of others) ok((await servers()).has(key), key);
  await engine.cleanup(signal);
  await engine.cleanup(signal);
  deepEqual([...(await servers()).keys()].toSorted(), [...others, "-t 10.96.0.2:80", "-u 10.96.0.2:80"].toSorted());
  const left = await node.check("sh", [
    "-c",
    "ipset list -n; iptables-legacy-save; ip6tables-legacy-save; ip -br link",
  ]);
  ok(!/fairlead/i.test(left.stdout), left.stdout);
  match(left.stdout, /-A INPUT -s 192\.0\.2\.7\/32 -j DROP/);
  await node.check("iptables-legacy", ["-t", "filter", "-D", "INPUT", "-s", "192.0.2.7", "-j", "DROP"]);
});

test("ipvs: PRX-190, PRX-142: a Local policy without a local endpoint does not fall back to others: pods and the node have them, outsiders hear nothing", async () => {
  const carried = new Carried(open());
  carried.set(every("far", 1, { externalTrafficPolicy: "Local" }), slices("far", ["pod3"]));
  await carried.apply();
  const external = externalIP(1, "IPv4");
  deepEqual(podsOf(await call("pod1", external)), [PODS.pod3.IPv4]);
  deepEqual(podsOf(await call("node", external)), [PODS.pod3.IPv4]);
  deepEqual(await call("client", external, 1, { wait: 1000, from: CLIENT.IPv4 }), ["timeout"]);
});

test("ipvs: PRX-192, PRX-074, PRX-113: a listener of the host is not reached through a Service's address, but for the health check's port", async () => {
  const carried = new Carried(open());
  const healthy = { externalTrafficPolicy: "Local", healthCheckNodePort: PORT + 10 };
  carried.set(every("guarded", 1, healthy), slices("guarded", ["pod1"]));
  await carried.apply();
  const script = fileURLToPath(new URL("../lab/server.ts", import.meta.url));
  for (const port of [PORT + 10, PORT + 20]) {
    const listener = await node.open(process.execPath, [script, String(port), "0.0.0.0"], { stderr: "inherit" });
    listeners.push(listener);
    await new Promise((resolve) => listener.stdout.once("data", resolve));
  }
  for (const place of ["pod1", "client", "node"] as const) {
    deepEqual(await call(place, clusterIP(1, "IPv4"), 1, { port: PORT + 20 }), ["refused"], place);
    deepEqual(podsOf(await call(place, clusterIP(1, "IPv4"), 1, { port: PORT + 10 })), ["0.0.0.0"], place);
  }
  deepEqual(podsOf(await call("client", NODE.IPv4.client, 1, { port: PORT + 20 })), ["0.0.0.0"]);
});

test("ipvs: PRX-102, PRX-104: affinity is the kernel's persistence with its timeout, and switched on and off", async () => {
  const carried = new Carried(open());
  const key = `-t ${clusterIP(1, "IPv4")}:80`;
  const set = async (affinity: string): Promise<string | undefined> => {
    const config = { clientIP: { timeoutSeconds: 300 } };
    const spec = { sessionAffinity: affinity, ...(affinity === "ClientIP" ? { sessionAffinityConfig: config } : {}) };
    carried.set(service("sticky", 1, spec), slices("sticky", ["pod1", "pod2", "pod3"]));
    await carried.apply();
    return (await servers()).get(key)?.choice;
  };
  equal(await set("ClientIP"), "-s rr -p 300");
  equal(new Set(podsOf(await call("client", clusterIP(1, "IPv4"), 6))).size, 1);
  equal(await set("None"), "-s rr");
  equal(new Set(podsOf(await call("client", clusterIP(1, "IPv4"), 6))).size, 3);
});

test("ipvs: an endpoint that comes back while its clients are remembered finds them again", async () => {
  const carried = new Carried(open());
  const set = async (pods: Parameters<typeof slices>[1]): Promise<void> => {
    carried.set(service("sticky", 1, { sessionAffinity: "ClientIP" }), slices("sticky", pods));
    await carried.apply();
  };
  await set(["pod1"]);
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"))), [PODS.pod1.IPv4]);
  await set(["pod2"]);
  await set(["pod1", "pod2", "pod3"]);
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 4)), Array(4).fill(PODS.pod1.IPv4));
});

test("ipvs: with externalTrafficPolicy Local an outsider with affinity stays with one local pod", async () => {
  const carried = new Carried(open());
  carried.set(
    every("sticky", 1, { externalTrafficPolicy: "Local", sessionAffinity: "ClientIP" }),
    slices("sticky", ["pod1", "pod2", "pod3"]),
  );
  await carried.apply();
  const clients = Array.from({ length: 16 }, (_, at) => `192.168.8.${at + 2}`);
  const seen = new Set<string>();
  for (const from of clients) {
    const pods = new Set(podsOf(await call("client", externalIP(1, "IPv4"), 3, { from })));
    equal(pods.size, 1, from);
    for (const pod of pods) seen.add(pod);
  }
  deepEqual([...seen].toSorted(), [PODS.pod1.IPv4, PODS.pod2.IPv4]);
});

test("ipvs: PRX-167, PRX-267: a restart finds everything and writes nothing; a connection goes on, marks stay", async () => {
  const written: string[] = [];
  const watched: Host = {
    ...node,
    run: (command, args, options) => {
      // Rules are loaded anew, as the same ones, and sets are made unless they are there.
      const isNew = (line: string): boolean => /^(-|addr|add|del)/.test(line);
      if (command === "ipvsadm" || command === "ipset" || command === "ip") {
        written.push(
          ...(options?.input ?? "")
            .split("\n")
            .filter(isNew)
            .filter((line) => !line.startsWith("link")),
        );
      }
      return node.run(command, args, options);
    },
  };
  const objects = (carried: Carried<never, never, never>): void => {
    carried.set(every("local", 1, { externalTrafficPolicy: "Local" }), slices("local", ["pod1", "pod3"]));
    carried.set(every("gone", 2), slices("gone", ["pod2"]));
    carried.set(
      service("staying", 3, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }),
      staying("staying", ["pod1"]),
    );
  };
  const dump = async (): Promise<string> =>
    (await node.check("sh", ["-c", "ipvsadm -Sn | sort; ipset save | sort; ip -o addr show dev fairlead-ipvs"])).stdout;
  const first = new Carried(open());
  objects(first as never);
  await first.apply();
  const before = await dump();
  deepEqual(await call("client", clusterIP(3, "IPv4"), 1, { keep: "over" }), [PODS.pod1.IPv4]);
  await first.engine.close();
  const second = new Carried(open({}, watched));
  objects(second as never);
  await second.apply();
  deepEqual(written, []);
  equal(await dump(), before);
  deepEqual(await call("client", clusterIP(3, "IPv4"), 1, { keep: "over" }), [PODS.pod1.IPv4]);
  // What went while nobody looked is removed.
  const third = new Carried(open());
  objects(third as never);
  third.remove(every("gone", 2), slices("gone", ["pod2"]));
  await third.apply();
  const after = await dump();
  for (const address of [clusterIP, externalIP, vip]) ok(!after.includes(`${address(2, "IPv4")}:80`), after);
  ok(!after.includes(`${NODE.IPv4.client}:30002`), after);
});

test("ipvs: PRX-178, PRX-270: what others remove is noticed and put back", async () => {
  const engine = open();
  const carried = new Carried(engine);
  carried.set(every("all", 1, { externalTrafficPolicy: "Local" }), slices("all", ["pod1"]));
  await carried.apply();
  ok(await engine.intact(carried.applied!, signal));
  for (const damage of [
    ["ipvsadm", "-D", "-t", `${clusterIP(1, "IPv4")}:80`],
    ["ip", "addr", "del", `${externalIP(1, "IPv4")}/32`, "dev", "fairlead-ipvs"],
    ["iptables-legacy", "-t", "filter", "-D", "INPUT", "-j", "FAIRLEAD-IPVS-IN"],
    ["ip", "link", "del", "fairlead-ipvs"],
    ["ipvsadm", "-C"],
  ] as const) {
    await node.check(damage[0], damage.slice(1));
    ok(!(await engine.intact(carried.applied!, signal)), damage.join(" "));
    carried.applied = undefined;
    await carried.apply();
    ok(await engine.intact(carried.applied!, signal), `after ${damage.join(" ")}`);
  }
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"))), [PODS.pod1.IPv4]);
  deepEqual(podsOf(await call("client", externalIP(1, "IPv4"))), [PODS.pod1.IPv4]);
});

const PODS_OF_FOUR = ["pod1", "pod2", "pod3", "pod4"] as const;
/** Twenty long connections a pod, a short one after each: how many long ones each pod has. */
async function longConnections(balance: Balance): Promise<number[]> {
  const carried = new Carried(balanced(balance));
  carried.set(
    service("long", 1, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }),
    staying("long", PODS_OF_FOUR),
  );
  await carried.apply();
  const counts = new Map<string, number>();
  for (let number = 0; number < 80; number++) {
    const [pod = ""] = await call("client", clusterIP(1, "IPv4"), 1, { keep: `${balance} ${number}` });
    counts.set(pod, (counts.get(pod) ?? 0) + 1);
    // It is reset when it has been opened: the pod waits for a line that never comes.
    await network.call("client", { protocol: "TCP", ip: clusterIP(1, "IPv4"), port: 80, times: 1, wait: 1 });
  }
  return PODS_OF_FOUR.map((pod) => counts.get(PODS[pod].IPv4) ?? 0);
}
const busiestOverMean = (counts: readonly number[]): number =>
  Math.max(...counts) / (counts.reduce((a, b) => a + b) / counts.length);

test("ipvs: least-connections keeps long connections level where turns do not: busiest over mean at most 1.1", async (t) => {
  const level = busiestOverMean(await longConnections("least-connections"));
  const turns = busiestOverMean(await longConnections("round-robin"));
  t.diagnostic(`busiest over mean: least-connections ${level.toFixed(2)}, round-robin ${turns.toFixed(2)}`);
  ok(level <= 1.1, `least-connections: ${level}`);
  ok(turns >= 1.4, `round-robin: ${turns}`);
});

test("ipvs: turns follow weights", async () => {
  const heavy = planning(open(), (plan) => ({
    ...plan,
    ports: plan.ports.map((port) => {
      const targets = port.internal.to === "targets" ? port.internal.targets : [];
      return {
        ...port,
        internal: { to: "targets", targets: targets.map((one, at) => ({ ...one, weight: at === 0 ? 3 : 1 })) } as const,
      };
    }),
  }));
  const carried = new Carried(heavy);
  carried.set(service("heavy", 1), slices("heavy", ["pod1", "pod2"]));
  await carried.apply();
  const answers = podsOf(await call("client", clusterIP(1, "IPv4"), 40));
  const counts = [PODS.pod1.IPv4, PODS.pod2.IPv4].map((pod) => answers.filter((one) => one === pod).length);
  deepEqual(
    counts.toSorted((a, b) => a - b),
    [10, 30],
  );
});

for (const balance of ["maglev", "source-hash"] as const) {
  test(`ipvs: ${balance} leads each client to one pod${balance === "maglev" ? ", and moves few when a pod comes" : ""}`, async () => {
    const carried = new Carried(balanced(balance));
    const clients = Array.from({ length: 30 }, (_, at) => `192.168.8.${at + 2}`);
    const where = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const from of clients) {
        const pods = new Set(podsOf(await call("client", clusterIP(1, "IPv4"), 2, { from })));
        equal(pods.size, 1, from);
        found.push([...pods][0]!);
      }
      return found;
    };
    const set = async (pods: Parameters<typeof slices>[1]): Promise<void> => {
      carried.set(service("hashed", 1), slices("hashed", pods));
      await carried.apply();
    };
    await set(["pod1", "pod2", "pod3"]);
    const first = await where();
    equal(new Set(first).size, 3);
    if (balance === "source-hash") return;
    await set(["pod1", "pod2", "pod3", "pod4"]);
    const second = await where();
    const moved = first.filter((pod, at) => second[at] !== pod);
    ok(moved.length <= 15, `${moved.length} of 30 clients moved`);
  });
}

test("ipvs: PRX-140, PRX-271: SCTP is carried, by clusterIP and node port, though no program here speaks it", async (t) => {
  if ((await node.which("python3")) === undefined) return t.skip("python3, which speaks SCTP here, is not installed");
  const script = fileURLToPath(new URL("../lab/sctp.py", import.meta.url));
  const carried = new Carried(open());
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const plan = portPlan(at + 1, [target("pod1", family)], { protocol: "SCTP", family, nodePort: 30_001 });
    carried.setPlan(servicePlan(at + 1, plan));
  }
  await carried.apply();
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const server = await network
      .at("pod1")
      .open("python3", [script, "answer", family, PODS.pod1[family], String(PORT)], { stderr: "inherit" });
    listeners.push(server);
    await new Promise((resolve) => server.stdout.once("data", resolve));
    const ask = async (ip: string, to: number, from: number): Promise<string> =>
      (
        await network.at("client").check("python3", [script, "call", family, ip, String(to), String(from)])
      ).stdout.trim();
    const ip = clusterIP(at + 1, family);
    // A busy machine may be slower than the three seconds of a call.
    const answered = async (to: string, number: number): Promise<void> => {
      let from = 40_000 + number;
      await until(`${to} ${number} to answer`, async () => (await ask(to, number, from++)) === `${to} ${number}`);
    };
    await answered(ip, 80);
    await answered(NODE[family].client, 30_001);
  }
});

test("ipvs: a node that restricts forwarding to its own interfaces still carries Services", async () => {
  const carried = new Carried(open(), nodePlan({ forwardOnly: { interfacePrefix: "fl" } }));
  carried.set(every("all", 1), slices("all", ["pod1", "pod3"]));
  await carried.apply();
  const pods = new Set(podsOf(await call("client", clusterIP(1, "IPv4"), 4)));
  deepEqual([...pods].toSorted(), [PODS.pod1.IPv4, PODS.pod3.IPv4]);
  // A stranger's own connection through this machine to another is not let through.
  deepEqual(await call("client", PODS.pod3.IPv4, 1, { port: PORT, wait: 1000 }), ["timeout"]);
});
