import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "../../src/host/host.ts";
import { ipBatch } from "../../src/host/ip.ts";
import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import type { NftState } from "../../src/proxy/engines/nftables/state.ts";
import type { NodePlan } from "../../src/proxy/plan/plan.ts";
import { Carried } from "./lab/carried.ts";
import { CLIENT, openNetwork, PODS, PORT, type Network, type Place } from "./lab/network.ts";
import { clusterIP, externalIP, nodePlan, service, slices } from "./lab/objects.ts";

const signal = new AbortController().signal;
let network: Network;
let node: Host;
const carrying: Carried<never, never, never>[] = [];

before(async () => {
  network = await openNetwork();
  node = network.at("node");
});
after(() => network?.close());
afterEach(async () => {
  for (const one of carrying.splice(0)) await one.engine.close();
  await nftablesEngine(node).cleanup(signal);
});

const carry = (plan: NodePlan = nodePlan(), host = node) => {
  const carried = new Carried(nftablesEngine(host), plan);
  carrying.push(carried as never);
  return carried;
};
const nft = async (...args: string[]): Promise<string> => (await node.check("nft", args)).stdout;
const load = (input: string) => node.check("nft", ["-f", "-"], { input });
const call = (from: Place, ip: string, times = 1, more: object = {}): Promise<string[]> =>
  network.call(from, { protocol: "TCP", ip, port: 80, times, wait: 1000, ...more });
const podsOf = (answers: readonly string[]): string[] =>
  [...new Set(answers.map((one) => one.split(" ")[0]!))].toSorted();
const dump = (state: NftState): string[] =>
  [...state.table.all()].map(({ family, set, key, data }) => `${family} ${set} ${key} : ${data}`).toSorted();

const until = async (what: string, check: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 15_000; !(await check()); await wait(50)) {
    if (Date.now() > end) throw new Error(`waiting for ${what}: still not so after 15 seconds`);
  }
};
/** Milliseconds until the kernel forgets each remembered client. */
const remembered = async (): Promise<Map<string, number>> => {
  const text = await nft("list", "map", "ip", "fairlead", "aff");
  const found = text.matchAll(/(\d+\.\d+\.\d+\.\d+) \. \S+ timeout \S+ expires (?:(\d+)s)?(?:(\d+)ms)?/g);
  return new Map([...found].map(([, client, s = "0", ms = "0"]) => [client!, Number(s) * 1000 + Number(ms)]));
};

test("PRX-097: an idle client is gone from the kernel after timeoutSeconds, and a connection before that renews it", async () => {
  const carried = carry();
  const affinity = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } };
  carried.set(service("brief", 1, affinity), slices("brief", ["pod1", "pod2", "pod3"]));
  await carried.apply();
  const client = CLIENT.IPv4;
  const [first] = podsOf(await call("client", clusterIP(1, "IPv4"), 1, { from: client }));
  await until("one second to have passed", async () => ((await remembered()).get(client) ?? 2000) < 1000);
  const again = podsOf(await call("client", clusterIP(1, "IPv4"), 1, { from: client }));
  deepEqual(again, [first]);
  const left = (await remembered()).get(client) ?? 0;
  ok(left > 1200, `renewed, ${left} ms are left`);
  await until("the client to be forgotten", async () => (await remembered()).size === 0);
});

test("PRX-099: an endpoint that was gone has no clients left when it comes back", async () => {
  const carried = carry();
  const sticky = service("back", 1, { sessionAffinity: "ClientIP" });
  carried.set(sticky, slices("back", ["pod1"]));
  await carried.apply();
  const clients = Array.from({ length: 12 }, (_, at) => `192.168.8.${at + 2}`);
  const where = async (): Promise<string[]> =>
    (await Promise.all(clients.map((from) => call("client", clusterIP(1, "IPv4"), 2, { from })))).flatMap(podsOf);
  deepEqual(podsOf(await where()), [PODS.pod1.IPv4]);
  carried.set(sticky, slices("back", ["pod2"]));
  await carried.apply();
  carried.set(sticky, slices("back", ["pod1", "pod2"]));
  await carried.apply();
  const now = await where();
  equal(now.length, clients.length, "each client stays with one pod");
  deepEqual(podsOf(now), [PODS.pod1.IPv4, PODS.pod2.IPv4], "all were forgotten, so both are chosen");
});

test("a foreign packet mark, ip rule, connection mark and priority keep working for Service traffic", async () => {
  await load(`
    table inet foreign {
      counter good { }
      counter bad { }
      counter node_good { }
      counter node_bad { }
      chain early { type filter hook prerouting priority -150; iifname "toclient" meta mark set 0x77 ct mark set 0x55; }
      chain own { type route hook output priority -150; meta priority set 0x10010; }
      chain late { type filter hook postrouting priority 300;
        iifname "toclient" ct mark 0x55 meta mark 0x77 counter name good
        iifname "toclient" ct mark != 0x55 counter name bad
        iifname "toclient" meta mark != 0x77 counter name bad
        oifname "flpod1" ct state new ct direction original meta iif 0 meta priority 0x10010 counter name node_good
        oifname "flpod1" ct state new ct direction original meta iif 0 meta priority != 0x10010 counter name node_bad
      }
    }
  `);
  try {
    // The fourth pod can be reached by marked packets only.
    const routes = [
      "route add blackhole 10.244.1.14/32",
      "route add 10.244.1.14/32 via 192.168.7.2 table 100",
      "rule add fwmark 0x77 lookup 100",
    ];
    await node.check("ip", ["-batch", "-"], { input: `${routes.join("\n")}\n` });
    const direct = (from: Place) =>
      network.call(from, { protocol: "TCP", ip: PODS.pod4.IPv4, port: PORT, times: 1, wait: 300 });
    deepEqual(podsOf(await direct("client")), [PODS.pod4.IPv4], "before our rules");
    const foreign = await nft("-s", "list", "table", "inet", "foreign");

    const carried = carry();
    carried.set(service("far", 1, { externalIPs: [externalIP(1, "IPv4")] }), slices("far", ["pod4"]));
    carried.set(service("near", 2), slices("near", ["pod1"]));
    carried.set(
      service("sticky", 3, { sessionAffinity: "ClientIP", externalIPs: [externalIP(3, "IPv4")] }),
      slices("sticky", ["pod4"]),
    );
    await carried.apply();
    // All of these are masqueraded, which others do by a bit of the packet's mark: an `ip rule` without a mask then misses.
    for (const ip of [clusterIP(1, "IPv4"), externalIP(1, "IPv4"), clusterIP(3, "IPv4"), externalIP(3, "IPv4")]) {
      deepEqual(await call("client", ip, 2), Array(2).fill(`${PODS.pod4.IPv4} 192.168.7.1`), ip);
    }
    const unmarked = await call("pod2", clusterIP(1, "IPv4"), 1, { wait: 300 });
    ok(!podsOf(unmarked).includes(PODS.pod4.IPv4), "an unmarked packet is not routed there");
    deepEqual(podsOf(await call("node", clusterIP(2, "IPv4"), 3)), [PODS.pod1.IPv4]);
    const counted = await nft("list", "counters", "table", "inet", "foreign");
    const packets = (name: string): number =>
      Number(new RegExp(`counter ${name} \\{\\s+packets (\\d+)`).exec(counted)?.[1]);
    ok(packets("good") > 8, `marked packets on their way out: ${packets("good")}`);
    equal(packets("bad"), 0, "packets whose mark or connection mark was changed");
    equal(packets("node_good"), 3, "first packets of the node's connections with the priority it gave");
    equal(packets("node_bad"), 0, "first packets of the node's connections with another priority");

    await carried.engine.cleanup(signal);
    equal(await nft("-s", "list", "table", "inet", "foreign"), foreign, "PRX-268: the foreign table is as it was");
    equal((await nft("list", "tables")).includes("fairlead"), false);
  } finally {
    await load("delete table inet foreign\n");
    await node.run("ip", ["rule", "del", "fwmark", "0x77"]);
    await node.run("ip", ["route", "del", "blackhole", "10.244.1.14/32"]);
  }
});

test("a packet that meets an old number of slots is carried by slot 0", async () => {
  const carried = carry();
  const affinity = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } };
  carried.set(service("plain", 1), slices("plain", ["pod1", "pod2", "pod3"]));
  carried.set(service("sticky", 2, affinity), slices("sticky", ["pod1", "pod2", "pod3"]));
  await carried.apply();
  // What a packet sees between its lookups when a commit takes two of three endpoints away: old shape, new slots.
  const gone = [...carried.applied!.table.all()]
    .filter(({ family, set, key }) => family === "IPv4" && ["bet", "aslot"].includes(set) && !key.endsWith(" . 0"))
    .map(({ set, key }) => `delete element ip fairlead ${set} { ${key} }`);
  equal(gone.length, 6, "two slots of one TCP port, two of each port with affinity");
  await load(`${gone.join("\n")}\n`);
  for (const number of [1, 2]) {
    const answers = await call("client", clusterIP(number, "IPv4"), 30);
    equal(podsOf(answers).length, 1, `one pod is left, and nothing is refused: ${podsOf(answers).join(", ")}`);
    match(answers[0]!, /^10\.244\./);
  }
});

test("PRX-266, PRX-267, PRX-167: a restart reads back what is there, changes nothing and moves no client", async () => {
  const fill = (carried: ReturnType<typeof carry>): void => {
    carried.set(
      service("plain", 1, {
        type: "NodePort",
        externalTrafficPolicy: "Local",
        ports: [{ name: "tcp", port: 80, protocol: "TCP", nodePort: 30001 }],
      }),
      slices("plain", ["pod1", "pod2", "pod3"]),
    );
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
  await before.engine.close();
  deepEqual(podsOf(await call("pod1", clusterIP(1, "IPv4"), 40)).length, 3, "rules stay when the proxy stops");

  const same = carry();
  const texts: string[] = [];
  fill(same);
  same.set(service("leaves", 4), slices("leaves", ["pod1"]));
  await same.apply();
  deepEqual(dump(same.applied!), dump(before.applied!), "the same numbers, slot by slot");
  texts.push(...dump(same.applied!));
  deepEqual(await where(), stays);

  const less = carry();
  fill(less);
  await less.apply();
  deepEqual(await where(), stays);
  deepEqual(
    await call("pod1", clusterIP(4, "IPv4"), 1, { wait: 300 }),
    ["timeout"],
    "PRX-051: what went meanwhile is swept",
  );
  deepEqual(dump(await less.engine.read(signal)), dump(less.applied!));
});

test("a writer that dies at any moment leaves the old or the new, and the next round goes on from there", async () => {
  let doomed = false;
  let died = 0;
  const mortal: Host = {
    ...node,
    async open(command, args, options) {
      const running = await node.open(command, args, options);
      const write = running.stdin.write.bind(running.stdin) as (chunk: string) => boolean;
      running.stdin.write = ((chunk: string) => {
        const answer = write(chunk);
        if (doomed) setTimeout(() => running.kill("SIGKILL"), died++ % 3);
        return answer;
      }) as typeof running.stdin.write;
      return running;
    },
  };
  const carried = carry(nodePlan(), mortal);
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
  ok(died >= 12, `nft was killed ${died} times`);
  deepEqual(podsOf(await call("pod1", clusterIP(1, "IPv4"), 10)), [PODS.pod2.IPv4]);
});

test("PRX-270: a table that others deleted is made again, whole", async () => {
  const carried = carry();
  carried.set(service("web", 1), slices("web", ["pod1"]));
  carried.set(service("other", 2), slices("other", ["pod2"]));
  await carried.apply();
  await load("delete table ip fairlead\n");
  carried.set(service("web", 1), slices("web", ["pod2"]));
  await rejects(carried.apply(), /writing nftables rules: Error: No such file or directory/);
  await carried.apply();
  deepEqual(podsOf(await call("pod1", clusterIP(1, "IPv4"), 4)), [PODS.pod2.IPv4]);
  deepEqual(podsOf(await call("pod1", clusterIP(2, "IPv4"), 4)), [PODS.pod2.IPv4]);
});

test("a table of another layout is replaced", async () => {
  await load(
    "table ip fairlead { map state { type mark : mark; elements = { 0 : 7, 1 : 99 }; }; set fe { type ipv4_addr; }; }\n",
  );
  const carried = carry();
  carried.set(service("web", 1), slices("web", ["pod1"]));
  await carried.apply();
  deepEqual(podsOf(await call("pod2", clusterIP(1, "IPv4"), 4)), [PODS.pod1.IPv4]);
});

test("PRX-088, PRX-090: loadBalancerSourceRanges let in whom they name", async () => {
  const carried = carry();
  const vip = externalIP(9, "IPv4");
  const balanced = service("balanced", 9, {
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["192.168.8.4/30", "192.168.8.6/32"],
  });
  carried.set({ ...balanced, status: { loadBalancer: { ingress: [{ ip: vip }] } } }, slices("balanced", ["pod1"]));
  await carried.apply();
  deepEqual(podsOf(await call("client", vip, 2, { from: "192.168.8.5" })), [PODS.pod1.IPv4]);
  deepEqual(await call("client", vip, 1, { from: "192.168.8.3", wait: 300 }), ["timeout"]);
  deepEqual(await call("pod2", vip, 1, { wait: 300 }), ["timeout"]);
});

test("forwardOnly: only Service traffic and our own interfaces are forwarded", async () => {
  await ipBatch(network.at("node2"), []);
  const forward = (from: Place) =>
    network.call(from, { protocol: "TCP", ip: PODS.pod3.IPv4, port: PORT, times: 1, wait: 300 });
  const open = carry();
  open.set(service("web", 1), slices("web", ["pod3"]));
  await open.apply();
  deepEqual(podsOf(await forward("client")), [PODS.pod3.IPv4], "without it a stranger is forwarded");
  const closed = carry(nodePlan({ forwardOnly: { interfacePrefix: "fl" } }));
  closed.set(service("web", 1), slices("web", ["pod3"]));
  await closed.apply();
  deepEqual(await forward("client"), ["timeout"], "neither interface is ours");
  deepEqual(podsOf(await forward("pod1")), [PODS.pod3.IPv4], "from a pod");
  deepEqual(podsOf(await call("client", clusterIP(1, "IPv4"), 2)), [PODS.pod3.IPv4], "through a Service");
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
  const calls = Promise.all([
    call("client", clusterIP(1, "IPv4"), 1500, { together: 8 }),
    call("client", clusterIP(2, "IPv4"), 1500, { together: 8 }),
  ]);
  const load = { over: false };
  void calls.finally(() => (load.over = true)).catch(() => {});
  let changes = 0;
  while (!load.over) await turn(++changes);
  const failed = (await calls).flat().filter((answer) => !answer.startsWith("10.244."));
  deepEqual(failed, [], `of 3000 connections during ${changes} changes`);
  ok(changes > 50, `${changes} changes`);
});
