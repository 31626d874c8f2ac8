import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { systemClock, type Clock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import { startLoop } from "../../src/proxy/loop.ts";
import type { ServicePlan } from "../../src/proxy/plan/plan.ts";
import { PODS, type PodName } from "./lab/network.ts";
import { dump, nftablesLab, podsOf, until } from "./lab/nftables.ts";
import { clusterIP, externalIP, nodePlan } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();

const web = (number: number, pods: readonly PodName[], change: Parameters<typeof portPlan>[2] = {}): ServicePlan =>
  servicePlan(
    number,
    portPlan(
      number,
      pods.map((pod) => target(pod)),
      change,
    ),
  );

test("PRX-167: a restart touches no element, set or chain: rules are written anew in one transaction, and that is all", async () => {
  const plans = [
    web(1, ["pod1", "pod2", "pod3"], { nodePort: 30001, local: true }),
    web(2, ["pod1", "pod2", "pod3"], { affinitySeconds: 60 }),
    web(3, ["pod1", "pod2", "pod3"], { balance: "maglev" }),
    web(4, ["pod1", "pod2", "pod3"], { balance: "round-robin" }),
    web(5, ["pod1", "pod2"], {
      keepsPort: true,
      frontends: [{ ip: externalIP(5, "IPv4"), port: 9000, lastPort: 9100, kind: "loadBalancer" }],
      sourceRanges: ["192.168.8.0/24"],
    }),
    web(6, []),
  ];
  const first = lab.plan();
  first.set(...plans);
  await first.apply();
  // A history that a fresh start would not repeat: slots are not in the order of their names.
  first.set(web(1, ["pod4", "pod2", "pod3"], { nodePort: 30001, local: true }));
  await first.apply();
  plans[0] = web(1, ["pod2", "pod3", "pod4"], { nodePort: 30001, local: true });
  first.set(plans[0]);
  await first.apply();
  await first.engine.close();

  const monitor = await lab.node.open("nft", ["monitor"], { stderr: "inherit" });
  const heard: string[] = [];
  createInterface({ input: monitor.stdout }).on("line", (line) => heard.push(line));
  try {
    await until("nft to listen", async () => {
      await lab.load("add table inet beacon\ndelete table inet beacon\n");
      return heard.some((line) => line.includes("beacon"));
    });
    const again = lab.plan();
    again.set(...plans);
    await again.apply();
    await lab.load("add table inet afterwards\ndelete table inet afterwards\n");
    await until("the events to be heard", () => heard.some((line) => line.includes("afterwards")));
    const touched = heard.filter(
      (line) => /^(add element|delete|destroy)/.test(line) && !/ (rule|table) | fairlead state /.test(line),
    );
    deepEqual(touched, []);
    deepEqual(dump(again.applied!), dump(first.applied!));
  } finally {
    monitor.kill("SIGKILL");
    await monitor.ended;
  }
});

test("PRX-159, PRX-160, PRX-164: one table a family, base chains where kube-proxy has them, and no more chains for more Services", async () => {
  await lab.load("table inet foreign { chain c { type filter hook input priority 0; }; }\ntable ip filter { }\n");
  const foreign = await lab.nft("list", "table", "inet", "foreign");
  const planned = lab.plan();
  planned.set(web(1, ["pod1", "pod2"]));
  await planned.apply();
  const chains = async (): Promise<string[]> =>
    [...(await lab.nft("list", "chains")).matchAll(/chain (\S+) \{/g)].map(([, name]) => name!);
  const few = await chains();
  planned.set(
    ...Array.from({ length: 60 }, (_, at) => web(at + 2, ["pod1", "pod2"], { nodePort: 30002 + at, local: true })),
  );
  await planned.apply();
  const many = await chains();
  deepEqual(many, few);
  equal(await lab.nft("list", "table", "inet", "foreign"), foreign);
  const tables = (await lab.nft("list", "tables")).trim().split("\n").toSorted();
  deepEqual(tables, ["table inet foreign", "table ip fairlead", "table ip filter", "table ip6 fairlead"]);
  const listed = JSON.parse(await lab.nft("-j", "list", "chains")) as {
    nftables: { chain?: { family: string; table: string; type?: string; hook?: string; prio?: number } }[];
  };
  const hooks = listed.nftables.flatMap(({ chain }) =>
    chain?.table === "fairlead" && chain.hook !== undefined
      ? [`${chain.family} ${chain.type} ${chain.hook} ${chain.prio}`]
      : [],
  );
  deepEqual(
    hooks.toSorted(),
    ["ip", "ip6"].flatMap((family) => [
      `${family} filter forward 0`,
      `${family} filter input 0`,
      `${family} filter output -110`,
      `${family} filter output 0`,
      `${family} filter prerouting -110`,
      `${family} nat output -100`,
      `${family} nat postrouting 100`,
      `${family} nat prerouting -100`,
    ]),
  );
  await lab.load("delete table inet foreign\ndelete table ip filter\n");
});

test("PRX-178, PRX-270, PRX-212: the loop repairs what others delete, says so, and needs no event for it", async () => {
  // Its five seconds last a quarter of one here.
  const clock: Clock = { ...systemClock, after: (wait, callback) => systemClock.after(wait / 20, callback) };
  const plan = web(1, ["pod1"]);
  const node = nodePlan();
  const counts = { disturbed: 0, rounds: 0 };
  let waiting = new Map<string, ServicePlan | undefined>([[plan.key, plan]]);
  const loop = startLoop({
    engine: nftablesEngine(lab.node),
    clock,
    random: () => 0.5,
    log: silentLog,
    collect: () => {
      const plans = waiting;
      waiting = new Map();
      return { plans, node };
    },
    applied: () => void counts.rounds++,
    disturbed: () => void counts.disturbed++,
    failed: () => {},
  });
  try {
    loop.wake();
    await loop.ready;
    const carries = async (): Promise<boolean> =>
      podsOf(await lab.call("node", clusterIP(1, "IPv4"), 1, { wait: 500 })).includes(PODS.pod1.IPv4);
    ok(await carries());
    const before = counts.rounds;
    await until("looks that find nothing", () => counts.rounds >= before + 3);
    equal(counts.disturbed, 0);
    for (const [at, damage] of [
      "delete table ip fairlead",
      "flush chain ip fairlead nat_out",
      "flush ruleset",
    ].entries()) {
      await lab.load(`${damage}\n`);
      await until(`the loop to notice ${damage}`, () => counts.disturbed > at);
      await until(`the loop to repair ${damage}`, carries);
    }
  } finally {
    await loop.stop();
  }
  match(await lab.nft("list", "tables"), /fairlead/, "PRX-266: rules stay when it stops");
});
