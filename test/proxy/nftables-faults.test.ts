import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ToolMissing, type Host } from "../../src/host/host.ts";
import type { ServicePlan } from "../../src/proxy/plan/plan.ts";
import { PODS, type PodName } from "./lab/network.ts";
import { dump, nftablesLab, podsOf } from "./lab/nftables.ts";
import { clusterIP, externalIP } from "./lab/objects.ts";
import { portPlan, servicePlan, target, type Planned } from "./lab/planned.ts";

const lab = nftablesLab();
const signal = new AbortController().signal;

const rich = (number: number, pods: readonly PodName[]): ServicePlan =>
  servicePlan(
    number,
    portPlan(
      number,
      pods.map((pod) => target(pod)),
      {
        local: true,
        nodePort: 30000 + number,
        frontends: [
          { ip: clusterIP(number, "IPv4"), port: 80, kind: "cluster" },
          { ip: externalIP(number, "IPv4"), port: 80, kind: "loadBalancer" },
          { ip: externalIP(number, "IPv4"), port: 9000, lastPort: 9009, kind: "external" },
        ],
        sourceRanges: ["192.168.8.0/24", "10.244.0.0/16"],
      },
    ),
  );

/** As the loop does every few seconds. */
async function look(planned: Planned): Promise<boolean> {
  if (await planned.intact()) return true;
  planned.applied = undefined;
  await planned.apply();
  return false;
}

const DAMAGES = [
  ["a table that was deleted", "delete table ip fairlead"],
  ["a flushed table: chains and elements are there, rules are not", "flush table ip fairlead"],
  ["a base chain that was removed", "delete chain ip fairlead nat_out"],
  ["the rules of one chain", "flush chain ip fairlead services"],
  ["the other family", "flush table ip6 fairlead"],
  ["the elements of a map", "flush map ip fairlead fe"],
  ["a base chain that is one no longer", "delete chain ip fairlead f_in; add chain ip fairlead f_in"],
  ["everything", "flush ruleset"],
] as const;

test("PRX-178, PRX-270: what others delete of ours is noticed by a look, and is repaired", async () => {
  const planned = lab.plan();
  planned.set(rich(1, ["pod1", "pod3"]), rich(2, ["pod2"]));
  await planned.apply();
  ok(await planned.intact(), "untouched");
  for (const [what, command] of DAMAGES) {
    await lab.load(`${command}\n`);
    equal(await look(planned), false, `${what} is noticed`);
    ok(await look(planned), `${what} is repaired`);
    deepEqual(dump(await planned.engine.read(signal)), dump(planned.applied!), what);
    deepEqual(podsOf(await lab.call("pod1", clusterIP(2, "IPv4"), 2)), [PODS.pod2.IPv4], what);
    deepEqual(podsOf(await lab.call("node", externalIP(2, "IPv4"), 2)), [PODS.pod2.IPv4], what);
  }
  // One element out of many is found by one of the looks that follow.
  await lab.load(`delete element ip fairlead cluster_ips { ${clusterIP(2, "IPv4")} }\n`);
  const looks = [await look(planned), await look(planned), await look(planned)];
  ok(looks.includes(false));
});

test("a look deletes nothing and does not mind what others have", async () => {
  await lab.load("table inet foreign { set s { type ipv4_addr; elements = { 192.0.2.1 }; }; }\n");
  const planned = lab.plan();
  planned.set(rich(1, ["pod1", "pod3"]));
  await planned.apply();
  const before = await lab.nft("list", "ruleset");
  for (let at = 0; at < 5; at++) ok(await planned.intact());
  await lab.load("delete table inet foreign\n");
  ok(await planned.intact());
  equal(before.replace(/table inet foreign \{[^]*?\n\}\n/, ""), await lab.nft("list", "ruleset"));
});

test("looks run programs only while others change rules too", async () => {
  const programs: string[] = [];
  const counted: Host = {
    ...lab.node,
    run(command, args, options) {
      programs.push(command);
      return lab.node.run(command, args, options);
    },
  };
  const planned = lab.plan(undefined, counted);
  planned.set(rich(1, ["pod1"]));
  await planned.apply();
  /** Programs that a look runs, after one that may have to be real, and a round in which nothing has changed. */
  const ran = async (): Promise<number> => {
    ok(await planned.intact());
    await planned.apply();
    programs.length = 0;
    ok(await planned.intact());
    return programs.length;
  };
  equal(await ran(), 0, "after the first look");
  planned.set(rich(1, ["pod1", "pod3"]));
  await planned.apply();
  equal(await ran(), 0, "after a change of our own");
  await lab.load("add table inet beacon\ndelete table inet beacon\n");
  ok((await ran()) > 0, "others have changed something: every look is real");
  planned.set(rich(1, ["pod1"]));
  await planned.apply();
  ok((await ran()) > 0, "also after changes of our own");
  planned.applied = undefined;
  await planned.apply();
  equal(await ran(), 0, "until all has been read again");
});

test("PRX-166: a refused transaction leaves what was, and the next round writes it whole", async () => {
  const planned = lab.plan();
  planned.set(servicePlan(1, portPlan(1, [target("pod1")])));
  await planned.apply();
  const before = dump(planned.applied!);
  // In this address nft finds no sense, so it refuses all of the transaction.
  const bad = servicePlan(2, portPlan(2, [{ ...target("pod1"), ip: "10.244.0.256" }]));
  planned.set(servicePlan(1, portPlan(1, [target("pod2")])), bad);
  await rejects(planned.apply(), /writing nftables rules: Error/);
  deepEqual(dump(await planned.engine.read(signal)), before);
  deepEqual(podsOf(await lab.call("pod2", clusterIP(1, "IPv4"), 2)), [PODS.pod1.IPv4]);
  planned.remove(bad.key);
  await planned.apply();
  deepEqual(podsOf(await lab.call("pod1", clusterIP(1, "IPv4"), 2)), [PODS.pod2.IPv4]);
});

test("nft that is taken away, crashes or says nonsense: rules stay, and it goes on when nft is back", async () => {
  type Fault = "none" | "missing" | "crash" | "nonsense";
  const state: { fault: Fault } = { fault: "none" };
  const host: Host = {
    ...lab.node,
    async run(command, args, options) {
      if (command !== "nft" || state.fault === "none") return lab.node.run(command, args, options);
      if (state.fault === "missing") throw new ToolMissing("nft");
      if (state.fault === "nonsense") return { code: 0, stdout: "{", stderr: "" };
      return { code: 139, stdout: "", stderr: "" };
    },
    async open(command, args, options) {
      if (state.fault === "missing") throw new ToolMissing("nft");
      const [tool, words] = state.fault === "none" ? [command, args] : ["sh", ["-c", "read line; kill -SEGV $$"]];
      return lab.node.open(tool, words, options);
    },
  };
  const planned = lab.plan(undefined, host);
  const web = (pod: PodName): ServicePlan => servicePlan(1, portPlan(1, [target(pod)]));
  planned.set(web("pod1"));
  await planned.apply();
  for (const [at, fault] of (["missing", "crash", "nonsense"] as const).entries()) {
    const [was, next] = at % 2 === 0 ? (["pod1", "pod2"] as const) : (["pod2", "pod1"] as const);
    await planned.engine.close();
    planned.set(web(next));
    state.fault = fault;
    await rejects(planned.apply(), fault === "missing" ? /nft/ : /nft|JSON/i);
    await rejects(planned.apply());
    deepEqual(podsOf(await lab.call("node", clusterIP(1, "IPv4"), 2)), [PODS[was].IPv4], `${fault}: the old`);
    state.fault = "none";
    await planned.apply();
    deepEqual(podsOf(await lab.call("node", clusterIP(1, "IPv4"), 2)), [PODS[next].IPv4], `${fault}: the new`);
    deepEqual(dump(await planned.engine.read(signal)), dump(planned.applied!));
  }
});

test("ranges that changed while nobody was there take the place of those they overlap", async () => {
  const first = lab.plan();
  first.set(rich(1, ["pod1"]));
  await first.apply();
  const next = lab.plan({
    ...first.node,
    localDetector: { by: "ranges", ranges: ["10.244.0.0/17", "fd00:244::/64"] },
    serviceRanges: ["10.96.0.0/17", "fd00:10:96::/113"],
  });
  const plan = rich(1, ["pod1"]);
  const moved = { ip: externalIP(1, "IPv4"), port: 9005, lastPort: 9100, kind: "external" } as const;
  next.set({
    ...plan,
    ports: plan.ports.map((port) => ({
      ...port,
      frontends: [...port.frontends.slice(0, 2), moved],
      sourceRanges: ["192.168.8.0/25"],
    })),
  });
  await next.apply();
  deepEqual(dump(await next.engine.read(signal)), dump(next.applied!));
  equal((await lab.nft("list", "map", "ip", "fairlead", "fer")).includes("9005-9100"), true);
});

test("5,000 endpoints in one Service, doubles among them: all are in, with affinity too, and one more is one more", async () => {
  const many = (count: number) => [
    ...Array.from({ length: count }, (_, at) => ({
      ip: `10.245.${at >> 8}.${at & 255}`,
      port: 8080,
      local: false,
      weight: 1,
    })),
    ...[0, 1].map(() => target("pod1")),
  ];
  const planned = lab.plan();
  planned.set(
    servicePlan(1, portPlan(1, many(4999))),
    servicePlan(2, portPlan(2, many(4999), { affinitySeconds: 60 })),
    servicePlan(3, portPlan(3, [target("pod1")])),
  );
  await planned.apply();
  equal(planned.applied!.table.of("IPv4", "bet").size, 5001);
  equal(planned.applied!.table.of("IPv4", "ept").size, 5000);
  planned.set(servicePlan(1, portPlan(1, many(5000))));
  await planned.apply();
  equal(planned.applied!.table.of("IPv4", "bet").size, 5002);
  deepEqual(podsOf(await lab.call("client", clusterIP(3, "IPv4"), 2)), [PODS.pod1.IPv4]);
});
