import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ServicePlan } from "../../src/proxy/plan/plan.ts";
import { CLIENT, NODE, PODS, PORT, type PodName } from "./lab/network.ts";
import { nftablesLab, podsOf } from "./lab/nftables.ts";
import { clusterIP, externalIP, nodePlan } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();
const SCTP = fileURLToPath(new URL("lab/sctp.py", import.meta.url));

test("SCTP: a clusterIP, a node port and affinity carry it, and the answer finds its way back", async (t) => {
  if ((await lab.node.which("python3")) === undefined)
    return t.skip("python3, which speaks SCTP here, is not installed");
  const planned = lab.plan();
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const sctp = { protocol: "SCTP", family } as const;
    planned.set(
      servicePlan(at * 2 + 1, portPlan(at * 2 + 1, [target("pod1", family)], { ...sctp, nodePort: 30001 })),
      servicePlan(at * 2 + 2, portPlan(at * 2 + 2, [target("pod1", family)], { ...sctp, affinitySeconds: 60 })),
    );
  }
  await planned.apply();
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const server = await lab.network
      .at("pod1")
      .open("python3", [SCTP, "answer", family, PODS.pod1[family], String(PORT)], { stderr: "inherit" });
    await new Promise((resolve) => server.stdout.once("data", resolve));
    try {
      let port = 40_000;
      const call = async (ip: string, to: number): Promise<string> => {
        const args = [SCTP, "call", family, ip, String(to), String(port++)];
        return (await lab.network.at("client").check("python3", args)).stdout.trim();
      };
      for (const [ip, to] of [
        [clusterIP(at * 2 + 1, family), 80],
        [clusterIP(at * 2 + 2, family), 80],
        [NODE[family].client, 30001],
      ] as const) {
        equal(await call(ip, to), `${ip} ${to}`);
      }
      equal(await call(clusterIP(at * 2 + 1, family), 81), "timeout", "a port that is none");
    } finally {
      server.kill("SIGKILL");
      await server.ended;
    }
  }
});

const vip = (pods: readonly PodName[]): ServicePlan =>
  servicePlan(
    1,
    ...(["TCP", "UDP"] as const).map((protocol) =>
      portPlan(
        1,
        pods.map((pod) => target(pod)),
        {
          protocol,
          nodePort: 30001,
          frontends: [
            { ip: externalIP(1, "IPv4"), port: 80, kind: "loadBalancer" },
            { ip: externalIP(1, "IPv4"), port: 9000, lastPort: 9009, kind: "loadBalancer" },
          ],
        },
      ),
    ),
  );

/** Packets to addresses of Services that are on their way out of the node untranslated. */
const ESCAPES = `table ip escapes { counter escaped { }
  chain post { type filter hook postrouting priority 400; ip daddr 203.0.113.0/24 meta l4proto { tcp, udp } counter name escaped; }
}\n`;
const escaped = async (): Promise<number> =>
  Number(/packets (\d+)/.exec(await lab.nft("list", "counter", "ip", "escapes", "escaped"))![1]);

test("a packet that passed the nat hook before its Service had an endpoint does not leave the node as it is", async () => {
  const planned = lab.plan();
  planned.set(vip(["pod2"]));
  await planned.apply();
  await lab.load(ESCAPES);
  try {
    const ip = externalIP(1, "IPv4");
    // What such a packet sees: no translation in the nat hooks, and no refusal in the filter hooks any more.
    await lab.load("flush chain ip fairlead nat_pre\nflush chain ip fairlead nat_out\n");
    for (const port of [80, 9004]) {
      for (const protocol of ["TCP", "UDP"] as const) {
        deepEqual(await lab.call("pod1", ip, 1, { port, protocol, wait: 300 }), ["timeout"]);
        const onNode = await lab.call("node", ip, 1, { port, protocol, wait: 300 });
        match(onNode[0]!, /timeout|not permitted/);
      }
    }
    const toNode = await lab.call("client", NODE.IPv4.client, 1, { port: 30001, wait: 300 });
    deepEqual(toNode, ["timeout"], "a node port is not the node's own port for that moment");
    equal(await escaped(), 0, "packets that left untranslated");
    // The counter does count.
    await lab.call("pod1", externalIP(99, "IPv4"), 1, { wait: 300 });
    ok((await escaped()) > 0);
  } finally {
    await lab.load("delete table ip escapes\n");
  }
});

test("PRX-045: while a Service gains and loses its only endpoint under load, nothing leaves untranslated", async () => {
  const planned = lab.plan();
  planned.set(vip([]));
  await planned.apply();
  await lab.load(ESCAPES);
  try {
    const ip = externalIP(1, "IPv4");
    const load = { over: false };
    const callers = (["TCP", "UDP"] as const).map(async (protocol) => {
      const answers: string[] = [];
      while (!load.over) answers.push(...(await lab.call("pod1", ip, 20, { protocol, together: 4, wait: 5000 })));
      return answers;
    });
    for (let change = 0; change < 150; change++) {
      planned.set(vip(change % 2 === 0 ? ["pod2"] : []));
      await planned.apply();
      await wait(2);
    }
    load.over = true;
    const answers = (await Promise.all(callers)).flat();
    const kinds = podsOf(answers);
    ok(kinds.includes(PODS.pod2.IPv4), `${answers.length} answers: ${kinds.join(", ")}`);
    equal(await escaped(), 0, "packets that left untranslated");
  } finally {
    await lab.load("delete table ip escapes\n");
  }
});

test("PRX-091: where the node is in the source ranges, it may call with the load-balancer address as its source", async () => {
  const ip = externalIP(1, "IPv4");
  const guarded = (sourceRanges: readonly string[]): ServicePlan =>
    servicePlan(
      1,
      portPlan(1, [target("pod1")], { frontends: [{ ip, port: 80, kind: "loadBalancer" }], sourceRanges }),
    );
  await lab.node.check("ip", ["addr", "add", `${ip}/32`, "dev", "lo"]);
  try {
    const planned = lab.plan(nodePlan());
    planned.set(guarded([`${NODE.IPv4.client}/32`]));
    await planned.apply();
    deepEqual(podsOf(await lab.call("node", ip, 2, { from: ip })), [PODS.pod1.IPv4], "as the address itself");
    deepEqual(podsOf(await lab.call("node", ip, 2, { from: NODE.IPv4.client })), [PODS.pod1.IPv4]);
    deepEqual(await lab.call("client", ip, 1, { from: CLIENT.IPv4, wait: 300 }), ["timeout"]);
    planned.set(guarded([`${CLIENT.IPv4}/32`]));
    await planned.apply();
    deepEqual(podsOf(await lab.call("client", ip, 2, { from: CLIENT.IPv4 })), [PODS.pod1.IPv4]);
    deepEqual(await lab.call("node", ip, 1, { from: ip, wait: 300 }), ["timeout"], "the node is in no range");
  } finally {
    await lab.node.check("ip", ["addr", "del", `${ip}/32`, "dev", "lo"]);
  }
});

test("a foreign priority, mark, connection mark and connection label of forwarded packets survive, in both families", async () => {
  const planned = lab.plan();
  const ways = (["IPv4", "IPv6"] as const).map((family) =>
    portPlan(1, [target("pod1", family), target("pod3", family)], {
      id: `default/s1:${family}`,
      family,
      frontends: [
        { ip: clusterIP(1, family), port: 80, kind: "cluster" },
        { ip: externalIP(1, family), port: 80, kind: "external" },
      ],
    }),
  );
  planned.set(servicePlan(1, ...ways));
  await planned.apply();
  // IPv4 forwarding sets the priority from the TOS, whoever set it before; IPv6 forwarding keeps it.
  await lab.load(`
    table inet foreign {
      counter good { }
      counter bad { }
      counter labelled { }
      chain early { type filter hook prerouting priority -150; iifname "toclient" ct state new jump paint; }
      chain paint { meta mark set 0x77; ct mark set 0x55; ct label set 77; meta priority set 0x10010; }
      chain late { type filter hook postrouting priority 300; iifname "toclient" ct state new ct direction original jump judge; }
      chain judge {
        meta mark != 0x77 counter name bad
        ct mark != 0x55 counter name bad
        ct label 77 counter name labelled
        meta nfproto ipv6 meta priority != 0x10010 counter name bad
        counter name good
      }
    }
  `);
  try {
    for (const family of ["IPv4", "IPv6"] as const) {
      for (const ip of [clusterIP(1, family), externalIP(1, family)]) {
        const answers = await lab.call("client", ip, 10, { from: CLIENT[family] });
        ok(
          answers.every((answer) => podsOf([answer])[0]!.startsWith(family === "IPv4" ? "10.244." : "fd00:244")),
          ip,
        );
      }
    }
    const counted = await lab.nft("list", "counters", "table", "inet", "foreign");
    const packets = (name: string): number =>
      Number(new RegExp(`counter ${name} \\{\\s+packets (\\d+)`).exec(counted)?.[1]);
    equal(packets("bad"), 0, "packets that lost what others gave them");
    ok(packets("good") >= 40, `${packets("good")} packets`);
    equal(packets("labelled"), packets("good"), "packets whose label others still see");
  } finally {
    await lab.load("delete table inet foreign\n");
  }
});
