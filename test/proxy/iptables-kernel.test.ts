import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "../../src/host/host.ts";
import { iptablesEngine, type IptablesOptions } from "../../src/proxy/engines/iptables/engine.ts";
import { endpointChain } from "../../src/proxy/engines/iptables/names.ts";
import type { IptState } from "../../src/proxy/engines/iptables/state.ts";
import type { Balance, NodePlan, ServicePlan, ServicePortPlan, Target } from "../../src/proxy/plan/plan.ts";
import { Carried } from "./lab/carried.ts";
import { CLIENT, NODE, openNetwork, PODS, PORT, type Network, type Place, type PodName } from "./lab/network.ts";
import { clusterIP, externalIP, nodePlan, service, slices } from "./lab/objects.ts";

const signal = new AbortController().signal;
let network: Network;
let node: Host;

before(async () => {
  network = await openNetwork();
  node = network.at("node");
});
after(() => network?.close());
afterEach(() => iptablesEngine(node).cleanup(signal));

const carry = (plan: NodePlan = nodePlan(), options: IptablesOptions = {}, host = node) =>
  new Carried(iptablesEngine(host, plan.families, options), plan);
const sh = async (line: string, at: Host = node): Promise<string> => (await at.check("sh", ["-c", line])).stdout;
const call = (from: Place, ip: string, times = 1, more: object = {}): Promise<string[]> =>
  network.call(from, { protocol: "TCP", ip, port: 80, times, wait: 1000, ...more });
const podsOf = (answers: readonly string[]): string[] =>
  [...new Set(answers.map((one) => one.split(" ")[0]!))].toSorted();
const dump = (state: IptState): string[] =>
  [...state.held].map(([key, { rules }]) => `${key}\n${rules.join("\n")}`).toSorted();
/** What both tables hold, without the counters and times that iptables-save prints. */
const tables = async (): Promise<string> =>
  (await sh("iptables-save; ip6tables-save")).replaceAll(/^#.*$/gm, "").replaceAll(/\[\d+:\d+\]/g, "");

/** A Service plan of one TCP port whose targets are given: what the plan's annotations will say. */
function planOf(number: number, targets: readonly Target[], more: Partial<ServicePortPlan> = {}): ServicePlan {
  const destination = { to: "targets", targets } as const;
  const ip = clusterIP(number, "IPv4");
  const port: ServicePortPlan = {
    id: `default/planned${number}:tcp/TCP`,
    family: "IPv4",
    protocol: "TCP",
    frontends: [{ ip, port: 80, kind: "cluster" }],
    nodePort: undefined,
    internal: destination,
    external: destination,
    externalLocal: false,
    cluster: destination,
    serving: [],
    balance: undefined,
    onRemoval: { action: "keep" },
    keepsPort: false,
    affinitySeconds: undefined,
    sourceRanges: undefined,
    ...more,
  };
  const key = `default/planned${number}`;
  return {
    key,
    clusterIPs: [ip],
    ports: [port],
    healthCheckNodePort: undefined,
    localReady: [],
    penaltyBox: true,
    complaints: [],
  };
}
const target = (pod: PodName, weight = 1): Target => ({
  ip: PODS[pod].IPv4,
  port: PORT,
  local: PODS[pod].node === "node1",
  weight,
});
async function carryPlans(plans: readonly ServicePlan[]): Promise<void> {
  const engine = iptablesEngine(node);
  const plan = nodePlan();
  const parts = new Map(plans.map((one) => [one.key, engine.compile(one, plan)]));
  await engine.apply({ frame: engine.compileNode(plan), parts }, await engine.read(signal), signal);
}
const sharesOf = (answers: readonly string[]): Map<string, number> => {
  const shares = new Map<string, number>();
  for (const answer of answers) {
    const pod = answer.split(" ")[0]!;
    shares.set(pod, (shares.get(pod) ?? 0) + 1);
  }
  return shares;
};

test("what the kernel holds is what was compiled, word for word, whatever a Service asks for", async () => {
  const carried = carry(nodePlan({ nodePortAddresses: { IPv4: "all", IPv6: "all" } }));
  const balanced = service("balanced", 3, {
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["192.168.8.4/30", "fd00:8::/64"],
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 30099,
    ports: [
      { name: "tcp", port: 80, protocol: "TCP", nodePort: 30003 },
      { name: "udp", port: 80, protocol: "UDP", nodePort: 30003 },
      { name: "sctp", port: 80, protocol: "SCTP", nodePort: 30003 },
    ],
  });
  carried.set(service("plain", 1), slices("plain", ["pod1", "pod2", "pod3"]));
  carried.set(
    service("sticky", 2, { sessionAffinity: "ClientIP" }),
    slices("sticky", ["pod1", "pod2", "pod3", "pod4"]),
  );
  carried.set(
    {
      ...balanced,
      status: { loadBalancer: { ingress: [{ ip: externalIP(3, "IPv4") }, { ip: externalIP(3, "IPv6") }] } },
    },
    slices("balanced", ["pod1", "pod3"]),
  );
  carried.set(service("empty", 4, { externalIPs: [externalIP(4, "IPv4")] }), []);
  await carried.apply();
  deepEqual(dump(await carried.engine.read(signal)), dump(carried.applied!));
  deepEqual(dump(carried.applied!).length, carried.applied!.wanted().size);
});

test("PRX-266, PRX-267: a restart reads back what is there and changes nothing; what went meanwhile is swept (PRX-051)", async () => {
  const fill = (carried: ReturnType<typeof carry>): void => {
    carried.set(service("plain", 1), slices("plain", ["pod1", "pod2", "pod3"]));
    carried.set(service("sticky", 2, { sessionAffinity: "ClientIP" }), slices("sticky", ["pod1", "pod2", "pod3"]));
    carried.set(service("empty", 3), []);
  };
  const before = carry();
  fill(before);
  before.set(service("leaves", 4), slices("leaves", ["pod1"]));
  await before.apply();
  const clients = Array.from({ length: 10 }, (_, at) => `192.168.8.${at + 2}`);
  const where = (): Promise<string[][]> =>
    Promise.all(clients.map(async (from) => podsOf(await call("client", clusterIP(2, "IPv4"), 2, { from }))));
  const stays = await where();
  const text = await tables();

  let writes = 0;
  const counting: Host = {
    ...node,
    run: (command, args, options) => {
      if (command.endsWith("-restore")) writes++;
      return node.run(command, args, options);
    },
  };
  const same = carry(nodePlan(), {}, counting);
  fill(same);
  same.set(service("leaves", 4), slices("leaves", ["pod1"]));
  await same.apply();
  equal(writes, 0, "nothing was written");
  equal(await tables(), text);
  deepEqual(await where(), stays);

  const less = carry();
  fill(less);
  await less.apply();
  deepEqual(await where(), stays, "remembered clients stay");
  deepEqual(await call("pod1", clusterIP(4, "IPv4"), 1, { wait: 300 }), ["timeout"]);
  equal((await tables()).includes("default/leaves"), false);
});

test("PRX-151: a change names only the chains of the Service that changed", async () => {
  const texts: string[] = [];
  const listening: Host = {
    ...node,
    run: (command, args, options) => {
      if (command === "iptables-restore") texts.push(options?.input ?? "");
      return node.run(command, args, options);
    },
  };
  const carried = carry(nodePlan(), {}, listening);
  for (let at = 1; at < 40; at++) carried.set(service(`s${at}`, at), slices(`s${at}`, ["pod1", "pod2"]));
  await carried.apply();
  texts.length = 0;
  carried.set(service("s7", 7), slices("s7", ["pod1", "pod3"]));
  await carried.apply();
  equal(texts.length, 1);
  const named = [...texts[0]!.matchAll(/^:(\S+)/gm)].map(([, name]) => name!.replace(/-[A-Z2-7]{16}$/, ""));
  deepEqual(named, ["FAIRLEAD-CANARY", "FL-SVC", "FL-SVC"], "its TCP and its UDP port");
});

test("PRX-268: clean-up takes all of ours and leaves what others have, in their chains and in the kernel's", async () => {
  const foreign = [
    "*nat",
    ":KUBE-SERVICES - [0:0]",
    "-A PREROUTING -j KUBE-SERVICES",
    "-A KUBE-SERVICES -d 10.1.2.3/32 -j RETURN",
    "COMMIT",
    "*filter",
    "-A FORWARD -d 10.9.9.9/32 -j DROP",
    "COMMIT",
    "",
  ].join("\n");
  await node.check("iptables-restore", ["--noflush"], { input: foreign });
  try {
    const before = await tables();
    const carried = carry();
    carried.set(service("web", 1, { externalIPs: [externalIP(1, "IPv4")] }), slices("web", ["pod1"]));
    await carried.apply();
    const theirs = (text: string): string[] => text.split("\n").filter((line) => !/FAIRLEAD-|FL-|^$/.test(line));
    const [had, have] = [theirs(before), theirs(await tables())];
    deepEqual(
      have.filter((line) => line.startsWith("-A")),
      had.filter((line) => line.startsWith("-A")),
    );
    await carried.engine.cleanup(signal);
    deepEqual(theirs(await tables()), have);
    equal(/FL-|FAIRLEAD-/.test(await tables()), false);
    await carried.engine.cleanup(signal);
  } finally {
    await sh("iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X");
  }
});

for (const [what, damage] of [
  ["all rules are flushed", "iptables -t nat -F"],
  ["a table is emptied of chains", "iptables -F; iptables -X 2>/dev/null; true"],
  ["a jump is taken away", "iptables -t nat -D OUTPUT -j FAIRLEAD-SERVICES"],
  [
    "another restored an older state",
    'iptables -F FAIRLEAD-CANARY; iptables -A FAIRLEAD-CANARY -m comment --comment "generation 0"',
  ],
] as const) {
  test(`PRX-178, PRX-270: it is noticed and made good when ${what}`, async () => {
    const carried = carry();
    carried.set(service("web", 1), slices("web", ["pod1"]));
    await carried.apply();
    equal(await carried.engine.intact(carried.applied!, signal), true);
    await sh(damage);
    equal(await carried.engine.intact(carried.applied!, signal), false);
    carried.applied = undefined;
    await carried.apply();
    equal(await carried.engine.intact(carried.applied!, signal), true);
    deepEqual(await call("node", clusterIP(1, "IPv4")), [`${PODS.pod1.IPv4} 10.244.0.1`]);
    deepEqual(await call("pod2", clusterIP(1, "IPv4"), 1, { port: 81 }), ["refused"]);
  });
}

test("PRX-177: a table is written whole or not at all, and the next round makes good what failed", async () => {
  let spoil: string | undefined;
  const spoiling: Host = {
    ...node,
    run: (command, args, options) => {
      const input = options?.input;
      if (spoil === undefined || input === undefined || command !== "iptables-restore")
        return node.run(command, args, options);
      return node.run(command, args, { ...options, input: input.replace("COMMIT", `${spoil}\nCOMMIT`) });
    },
  };
  const carried = carry(nodePlan(), {}, spoiling);
  carried.set(service("web", 1), slices("web", ["pod1"]));
  await carried.apply();
  const before = await tables();
  spoil = "-A NO-SUCH-CHAIN -j ACCEPT";
  carried.set(service("web", 1), slices("web", ["pod2"]));
  await rejects(carried.apply(), /writing iptables rules with iptables-restore: /);
  equal(await tables(), before);
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 4)), [PODS.pod1.IPv4]);
  spoil = undefined;
  await carried.apply();
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 4)), [PODS.pod2.IPv4]);
});

test("a writer that is killed at any moment leaves each table old or new, and the next round goes on from there", async () => {
  let doomed = false;
  let died = 0;
  const mortal: Host = {
    ...node,
    async run(command, args, options) {
      if (!doomed || command !== "iptables-restore") return node.run(command, args, options);
      const running = await node.open(command, args);
      running.stdin.end(options?.input);
      running.stdout.resume();
      running.stderr.resume();
      setTimeout(() => running.kill("SIGKILL"), 2 * (died++ % 6));
      return { code: await running.ended, stdout: "", stderr: "killed" };
    },
  };
  const carried = carry(nodePlan(), {}, mortal);
  carried.set(service("web", 1), slices("web", ["pod1"]));
  await carried.apply();
  for (let round = 0; round < 12; round++) {
    carried.set(service("web", 1), slices("web", round % 2 === 0 ? ["pod1", "pod2", "pod3"] : ["pod2"]));
    carried.set(service(`more${round}`, 10 + round), slices(`more${round}`, ["pod1"]));
    doomed = true;
    await carried.apply().catch(() => {});
    doomed = false;
    await carried.apply();
    deepEqual(dump(await carried.engine.read(signal)), dump(carried.applied!), `round ${round}`);
  }
  ok(died >= 12, `iptables-restore was killed ${died} times`);
  deepEqual(podsOf(await call("pod1", clusterIP(1, "IPv4"), 10)), [PODS.pod2.IPv4]);
});

const LOCALNET = "sysctl -n net.ipv4.conf.all.route_localnet";
const everywhere = nodePlan({ nodePortAddresses: { IPv4: "all", IPv6: "all" } });
const nodePortOf = (number: number) => ({
  type: "NodePort",
  ports: [{ name: "tcp", port: 80, protocol: "TCP", nodePort: 30000 + number }],
});

test("PRX-077, PRX-174, PRX-081, PRX-053, PRX-146: node ports answer on every address of the node, and on 127.0.0.1 as the node", async () => {
  equal((await sh(LOCALNET)).trim(), "0");
  const carried = carry(everywhere);
  carried.set(service("web", 1, nodePortOf(1)), slices("web", ["pod1", "pod3"], ["tcp"]));
  await carried.apply();
  for (const ip of Object.values(NODE.IPv4)) {
    deepEqual(podsOf(await call("client", ip, 20, { port: 30001 })), [PODS.pod1.IPv4, PODS.pod3.IPv4], ip);
  }
  deepEqual(
    podsOf(await call("client", NODE.IPv6.node2, 20, { port: 30001 })),
    [PODS.pod1.IPv6, PODS.pod3.IPv6].toSorted(),
  );
  const answers = await call("node", "127.0.0.1", 20, { port: 30001 });
  deepEqual([...new Set(answers)].toSorted(), [`${PODS.pod1.IPv4} 10.244.0.1`, `${PODS.pod3.IPv4} 192.168.7.1`]);
  deepEqual(await call("node", "::1", 1, { port: 30001 }), ["refused"], "what happens instead on ::1");
  equal((await sh(LOCALNET)).trim(), "1");
  await carried.engine.cleanup(signal);
  equal((await sh(LOCALNET)).trim(), "0", "the setting is as it was");
});

test("PRX-081: without localhostNodePorts 127.0.0.1 serves no node ports and the setting is left alone", async () => {
  const carried = carry({ ...everywhere, localhostNodePorts: false });
  carried.set(service("web", 1, nodePortOf(1)), slices("web", ["pod1"], ["tcp"]));
  await carried.apply();
  deepEqual(await call("node", "127.0.0.1", 1, { port: 30001 }), ["refused"]);
  deepEqual(podsOf(await call("node", NODE.IPv4.client, 1, { port: 30001 })), [PODS.pod1.IPv4]);
  equal((await sh(LOCALNET)).trim(), "0");
});

test("PRX-176: only who calls from 127.0.0.1 reaches what listens on it, although such packets may be routed", async () => {
  const listener = await node.open(process.execPath, [
    "-e",
    'require("net").createServer((s) => s.end("open")).listen(9000, "127.0.0.1", () => console.log("ready"))',
  ]);
  try {
    await new Promise((resolve) => listener.stdout.once("data", resolve));
    const knock = (from: string) => call("node", "127.0.0.1", 1, { port: 9000, wait: 400, from });
    deepEqual(await knock(NODE.IPv4.client), ["open"], "without us");
    await carry(everywhere).apply();
    deepEqual(await knock(NODE.IPv4.client), ["timeout"]);
    deepEqual(await knock("127.0.0.1"), ["open"]);
  } finally {
    listener.kill();
    await listener.ended;
  }
});

test("PRX-175, PRX-245: answers that belong to no connection are not forwarded, unless told to be liberal", async () => {
  // The client's packets are not tracked, so that its pod's answer is the first that conntrack sees.
  await sh("iptables -t raw -A PREROUTING -i toclient -p tcp --dport 8080 -j CT --notrack");
  try {
    const direct = () => call("client", PODS.pod1.IPv4, 1, { port: PORT, wait: 500 });
    const liberal = carry(nodePlan(), { tcpBeLiberal: true });
    await liberal.apply();
    deepEqual(podsOf(await direct()), [PODS.pod1.IPv4]);
    await carry().apply();
    deepEqual(await direct(), ["timeout"]);
  } finally {
    await sh("iptables -t raw -F");
  }
});

test("PRX-175: Service traffic is forwarded although the machine forwards nothing by itself", async () => {
  const carried = carry();
  carried.set(service("web", 1), slices("web", ["pod3"]));
  await carried.apply();
  await sh("iptables -P FORWARD DROP");
  try {
    deepEqual(await call("client", clusterIP(1, "IPv4")), [`${PODS.pod3.IPv4} 192.168.7.1`]);
    deepEqual(await call("client", PODS.pod3.IPv4, 1, { port: PORT, wait: 300 }), ["timeout"]);
  } finally {
    await sh("iptables -P FORWARD ACCEPT");
  }
});

test("PRX-065: the mark is off when a packet leaves", async () => {
  await node.check("nft", ["-f", "-"], {
    input: `table inet watch {
      counter marked { }
      counter seen { }
      chain late { type filter hook postrouting priority 300; ct state new meta mark and 0x4000 != 0 counter name marked
        ct state new ct status dnat counter name seen; }
    }\n`,
  });
  try {
    const carried = carry();
    carried.set(service("web", 1), slices("web", ["pod1"]));
    await carried.apply();
    deepEqual(await call("client", clusterIP(1, "IPv4")), [`${PODS.pod1.IPv4} 10.244.0.1`]);
    const counted = await sh("nft list counters table inet watch");
    match(counted, /counter seen \{\s+packets [1-9]/);
    match(counted, /counter marked \{\s+packets 0 /);
  } finally {
    await node.run("nft", ["delete", "table", "inet", "watch"]);
  }
});

test("forwardOnly: only Service traffic and our own interfaces are forwarded", async () => {
  const forward = (from: Place) => call(from, PODS.pod3.IPv4, 1, { port: PORT, wait: 300 });
  const closed = carry(nodePlan({ forwardOnly: { interfacePrefix: "fl" } }));
  closed.set(service("web", 1), slices("web", ["pod3"]));
  await closed.apply();
  deepEqual(await forward("client"), ["timeout"], "neither interface is ours");
  deepEqual(podsOf(await forward("pod1")), [PODS.pod3.IPv4], "from a pod");
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 2)), [PODS.pod3.IPv4], "through a Service");
});

test("PRX-069, PRX-060, PRX-061: pods are known by their interface, or not at all, or all sources are hidden", async () => {
  const seen = async (plan: Partial<NodePlan>): Promise<string[]> => {
    const carried = carry(nodePlan(plan));
    carried.set(service("web", 1), slices("web", ["pod2"]));
    await carried.apply();
    const answers = await Promise.all((["pod1", "client"] as const).map((from) => call(from, clusterIP(1, "IPv4"))));
    return answers.flat().map((answer) => answer.split(" ")[1]!);
  };
  const [pod, client, hidden] = [PODS.pod1.IPv4, CLIENT.IPv4, NODE.IPv4.pods];
  deepEqual(await seen({ localDetector: { by: "interface-prefix", prefix: "flpod" } }), [pod, hidden]);
  deepEqual(await seen({ localDetector: { by: "interface", name: "flpod1" } }), [pod, hidden]);
  deepEqual(await seen({ localDetector: { by: "interface", name: "toclient" } }), [hidden, client]);
  deepEqual(await seen({ localDetector: { by: "ranges", ranges: [] } }), [pod, client]);
  deepEqual(await seen({ masqueradeAll: true }), [hidden, hidden]);
});

test("PRX-088, PRX-090: loadBalancerSourceRanges let in whom they name, with endpoints and without", async () => {
  const carried = carry();
  const vip = externalIP(9, "IPv4");
  const balanced = service("balanced", 9, {
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["192.168.8.4/30", "192.168.8.6/32"],
  });
  const withVip = { ...balanced, status: { loadBalancer: { ingress: [{ ip: vip }] } } };
  carried.set(withVip, slices("balanced", ["pod1"]));
  await carried.apply();
  deepEqual(podsOf(await call("client", vip, 2, { from: "192.168.8.5" })), [PODS.pod1.IPv4]);
  deepEqual(await call("client", vip, 1, { from: "192.168.8.3", wait: 300 }), ["timeout"]);
  deepEqual(await call("pod2", vip, 1, { wait: 300 }), ["timeout"]);
  carried.set(withVip, slices("balanced", []));
  await carried.apply();
  deepEqual(await call("client", vip, 1, { from: "192.168.8.5" }), ["refused"]);
  deepEqual(await call("client", vip, 1, { from: "192.168.8.3", wait: 300 }), ["timeout"]);
});

test("PRX-097, PRX-099: a client is forgotten after timeoutSeconds, and with its endpoint", async () => {
  const carried = carry();
  const affinity = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } };
  const brief = service("brief", 1, affinity);
  carried.set(brief, slices("brief", ["pod1"]));
  await carried.apply();
  const clients = Array.from({ length: 16 }, (_, at) => `192.168.8.${at + 2}`);
  const where = async (times = 2): Promise<string[]> =>
    (await Promise.all(clients.map((from) => call("client", clusterIP(1, "IPv4"), times, { from })))).flatMap(podsOf);
  deepEqual(podsOf(await where()), [PODS.pod1.IPv4]);
  carried.set(brief, slices("brief", ["pod1", "pod2"]));
  await carried.apply();
  deepEqual(podsOf(await where()), [PODS.pod1.IPv4], "a new endpoint takes nobody away");
  await wait(3500);
  deepEqual(podsOf(await where(1)), [PODS.pod1.IPv4, PODS.pod2.IPv4], "all were forgotten, so both are chosen");
  carried.set(brief, slices("brief", ["pod2"]));
  await carried.apply();
  deepEqual(podsOf(await where()), [PODS.pod2.IPv4]);
  await carried.engine.cleanup(signal);
  const gone = async (): Promise<boolean> => !(await sh("ls /proc/net/xt_recent 2>/dev/null || true")).includes("FL-");
  for (const end = Date.now() + 10_000; !(await gone()); await wait(50)) {
    if (Date.now() > end) throw new Error("the kernel still has our lists 10 seconds after clean-up");
  }
});

test("PRX-100: the kernel remembers as many clients an endpoint as its module's parameter says, then forgets the oldest", async () => {
  const carried = carry();
  carried.set(service("sticky", 1, { sessionAffinity: "ClientIP" }), slices("sticky", ["pod1"]));
  await carried.apply();
  await call("client", clusterIP(1, "IPv4"), 1, { from: "192.168.8.7" });
  const list = `/proc/net/xt_recent/${endpointChain("default/sticky:tcp/TCP", `${PODS.pod1.IPv4}:${PORT}`)}`;
  match(await sh(`cat ${list}`), /src=192\.168\.8\.7 /);
  const limit = Number(await sh("cat /sys/module/xt_recent/parameters/ip_list_tot 2>/dev/null || echo 100"));
  await sh(`for i in $(seq 1 ${limit}); do echo +10.50.$((i / 250)).$((i % 250 + 1)) > ${list}; done`);
  const remembered = await sh(`cat ${list}`);
  equal(remembered.trim().split("\n").length, limit);
  equal(remembered.includes("src=192.168.8.7 "), false);
});

test("weights: connections are shared as they say", async () => {
  await carryPlans([planOf(1, [target("pod1", 5), target("pod2", 2), target("pod3", 1)])]);
  const shares = sharesOf(await call("client", clusterIP(1, "IPv4"), 1600, { together: 8 }));
  // Within 3.3 standard deviations, 99.9 % of the time each.
  for (const [pod, weight] of [
    ["pod1", 5],
    ["pod2", 2],
    ["pod3", 1],
  ] as const) {
    const share = weight / 8;
    const [expected, spread] = [1600 * share, 3.9 * Math.sqrt(1600 * share * (1 - share))];
    const count = shares.get(PODS[pod].IPv4) ?? 0;
    ok(Math.abs(count - expected) <= spread, `${pod} got ${count} of 1600, not ${expected} ± ${spread.toFixed(0)}`);
  }
});

test("balance round-robin: each in turn, as often as its weight", async () => {
  const targets = [target("pod1", 2), target("pod2"), target("pod3")];
  await carryPlans([planOf(1, targets, { balance: "round-robin" })]);
  const answers = await call("client", clusterIP(1, "IPv4"), 40, { together: 1 });
  const pods = answers.map((answer) => answer.split(" ")[0]!);
  deepEqual(Object.fromEntries(sharesOf(answers)), {
    [PODS.pod1.IPv4]: 20,
    [PODS.pod2.IPv4]: 10,
    [PODS.pod3.IPv4]: 10,
  });
  deepEqual(pods.slice(4), pods.slice(0, -4), "the same round again and again");
});

for (const balance of ["source-hash", "maglev"] as const satisfies Balance[]) {
  test(`balance ${balance}: a client's address decides, and all targets have clients`, async () => {
    const clients = Array.from({ length: 30 }, (_, at) => `192.168.8.${at + 2}`);
    const where = async (): Promise<string[]> => {
      const answers = await Promise.all(clients.map((from) => call("client", clusterIP(1, "IPv4"), 4, { from })));
      return answers.map((all, at) => {
        const pods = podsOf(all);
        equal(pods.length, 1, `${clients[at]} reached ${pods.join(", ")}`);
        return pods[0]!;
      });
    };
    await carryPlans([planOf(1, [target("pod1"), target("pod2"), target("pod3")], { balance })]);
    const first = await where();
    deepEqual(podsOf(first), [PODS.pod1.IPv4, PODS.pod2.IPv4, PODS.pod3.IPv4]);
    deepEqual(await where(), first);
    if (balance === "source-hash") return;
    await carryPlans([planOf(1, [target("pod1"), target("pod3")], { balance })]);
    const second = await where();
    const moved = first.filter((pod, at) => pod !== PODS.pod2.IPv4 && pod !== second[at]).length;
    ok(moved <= 3, `${moved} of 30 clients moved though their pod stayed`);
  });
}

test("a range of ports is one rule, and a connection keeps its port", async () => {
  const frontends = [{ ip: clusterIP(1, "IPv4"), port: 8000, lastPort: 8999, kind: "cluster" }] as const;
  await carryPlans([planOf(1, [target("pod1"), target("pod2")], { frontends, keepsPort: true })]);
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 20, { port: PORT })), [PODS.pod1.IPv4, PODS.pod2.IPv4]);
  match((await call("client", clusterIP(1, "IPv4"), 1, { port: PORT + 1 }))[0]!, /^10\.244\.\S+ \S+ 8081$/);
  deepEqual(await call("client", clusterIP(1, "IPv4"), 1, { port: 8999 }), ["refused"], "no such port in the pod");
  deepEqual(await call("client", clusterIP(1, "IPv4"), 1, { port: 80 }), ["refused"], "outside the range");
});

test("PRX-113: a health check port is let in though the machine lets nothing in", async () => {
  const listener = await node.open(process.execPath, [
    "-e",
    'require("net").createServer((s) => s.end("healthy")).listen(30098, "0.0.0.0", () => console.log("ready"))',
  ]);
  try {
    await new Promise((resolve) => listener.stdout.once("data", resolve));
    await sh("iptables -P INPUT DROP");
    const knock = () => call("client", NODE.IPv4.client, 1, { port: 30098, wait: 400 });
    deepEqual(await knock(), ["timeout"]);
    await carryPlans([{ ...planOf(1, [target("pod1")]), healthCheckNodePort: 30098 }]);
    await sh("iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT");
    deepEqual(await knock(), ["healthy"]);
  } finally {
    await sh("iptables -P INPUT ACCEPT; iptables -F INPUT");
    listener.kill();
    await listener.ended;
  }
});

test("PRX-026: no new connection fails while endpoints come and go under load", async () => {
  const carried = carry();
  const sets = [["pod1", "pod2", "pod3"], ["pod1"], ["pod1", "pod3"], ["pod2", "pod1", "pod3", "pod4"]] as const;
  const affinity = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } };
  const turn = (at: number): Promise<void> => {
    carried.set(service("plain", 1), slices("plain", sets[at % sets.length]!));
    carried.set(service("sticky", 2, affinity), slices("sticky", sets[(at + 1) % sets.length]!));
    return carried.apply();
  };
  await turn(0);
  const load = { over: false, changes: 0 };
  let made = 0;
  const failed: string[] = [];
  const calling = async (number: number): Promise<void> => {
    while (load.changes < 60) {
      const answers = await call("client", clusterIP(number, "IPv4"), 200, { together: 8, wait: 5000 });
      made += answers.length;
      failed.push(...answers.filter((answer) => !answer.startsWith("10.244.")));
    }
  };
  const calls = Promise.all([calling(1), calling(2)]).finally(() => (load.over = true));
  while (!load.over) await turn(++load.changes);
  await calls;
  deepEqual(failed, [], `of ${made} connections during ${load.changes} changes`);
});

test("both kernel sides: the legacy one carries as the other does, and clean-up finds what is in either", async (t) => {
  const other = (await sh("iptables-restore -V")).includes("nf_tables") ? "legacy" : "nft";
  if ((await node.which(`iptables-${other}-restore`)) === undefined) {
    t.skip(`iptables-${other}-restore is not installed`);
    return;
  }
  const carried = carry(everywhere, { backend: other });
  deepEqual(await carried.engine.supported(), { supported: true });
  carried.set(service("web", 1, nodePortOf(1)), slices("web", ["pod1", "pod3"], ["tcp"]));
  carried.set(service("sticky", 2, { sessionAffinity: "ClientIP" }), slices("sticky", ["pod1", "pod2"]));
  carried.set(service("empty", 3), []);
  await carried.apply();
  for (const family of ["IPv4", "IPv6"] as const) {
    deepEqual(
      podsOf(await call("client", clusterIP(1, family), 20)),
      [PODS.pod1[family], PODS.pod3[family]].toSorted(),
    );
    equal(podsOf(await call("client", clusterIP(2, family), 10)).length, 1);
    deepEqual(await call("client", clusterIP(3, family)), ["refused"]);
    deepEqual(await call("client", clusterIP(1, family), 1, { port: 81 }), ["refused"]);
  }
  equal(podsOf(await call("node", "127.0.0.1", 20, { port: 30001 })).length, 2);
  deepEqual(dump(await carried.engine.read(signal)), dump(carried.applied!));
  equal(await carried.engine.intact(carried.applied!, signal), true);
  carried.set(service("web", 1, nodePortOf(1)), slices("web", ["pod2"], ["tcp"]));
  await carried.apply();
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 4)), [PODS.pod2.IPv4]);
  await sh(`iptables-${other} -t nat -F`);
  equal(await carried.engine.intact(carried.applied!, signal), false);
  await iptablesEngine(node).cleanup(signal);
  equal(/FAIRLEAD|FL-/.test(await sh(`iptables-${other}-save; ip6tables-${other}-save`)), false);
});

test("supported says what is missing, and leaves nothing behind", async () => {
  const before = await tables();
  deepEqual(await iptablesEngine(node).supported(), { supported: true });
  equal((await tables()).replaceAll(/\s/g, "").includes("PROBE"), false);
  ok(before.length >= 0);
  const without: Host = {
    ...node,
    which: (tool) => (tool === "iptables-save" ? Promise.resolve(undefined) : node.which(tool)),
  };
  const missing = await iptablesEngine(without).supported();
  deepEqual(missing, {
    supported: false,
    missing: "the tool iptables-save is not installed: install the package iptables (1.8 or newer)",
  });
  const denied: Host = {
    ...node,
    run: (command, args, options) =>
      node.run("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", command, ...args], options),
  };
  const refused = await iptablesEngine(denied).supported();
  match(refused.supported ? "" : refused.missing, /needs root/);
});
