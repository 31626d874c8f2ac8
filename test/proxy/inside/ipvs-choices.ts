import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { IpvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import type { Balance, ServicePlan } from "../../../src/proxy/plan/plan.ts";
import { until } from "../../lab/until.ts";
import { Carried } from "../lab/carried.ts";
import { every, IpvsLab, staying } from "../lab/ipvs.ts";
import { NODE, PODS, PORT } from "../lab/network.ts";
import { clusterIP, externalIP, service, slices } from "../lab/objects.ts";
import { portPlan, servicePlan, target } from "../lab/planned.ts";

const lab = new IpvsLab();

/** An engine that plans as annotations would have it. */
const planning = (engine: IpvsEngine, change: (plan: ServicePlan) => ServicePlan): IpvsEngine => ({
  ...engine,
  compile: (plan, on) => engine.compile(change(plan), on),
});
const balanced = (balance: Balance, engine = lab.open()): IpvsEngine =>
  planning(engine, (plan) => ({ ...plan, ports: plan.ports.map((port) => ({ ...port, balance })) }));

test("ipvs: PRX-102, PRX-104: affinity is the kernel's persistence with its timeout, and switched on and off", async () => {
  const carried = new Carried(lab.open());
  const key = `-t ${clusterIP(1, "IPv4")}:80`;
  const set = async (affinity: string): Promise<string | undefined> => {
    const config = { clientIP: { timeoutSeconds: 300 } };
    const spec = { sessionAffinity: affinity, ...(affinity === "ClientIP" ? { sessionAffinityConfig: config } : {}) };
    carried.set(service("sticky", 1, spec), slices("sticky", ["pod1", "pod2", "pod3"]));
    await carried.apply();
    return (await lab.servers()).get(key)?.choice;
  };
  equal(await set("ClientIP"), "-s rr -p 300");
  equal(new Set(await lab.pods("client", clusterIP(1, "IPv4"), 6)).size, 1);
  equal(await set("None"), "-s rr");
  equal(new Set(await lab.pods("client", clusterIP(1, "IPv4"), 6)).size, 3);
});

test("ipvs: an endpoint that comes back while its clients are remembered finds them again", async () => {
  const carried = new Carried(lab.open());
  const set = async (pods: Parameters<typeof slices>[1]): Promise<void> => {
    carried.set(service("sticky", 1, { sessionAffinity: "ClientIP" }), slices("sticky", pods));
    await carried.apply();
  };
  await set(["pod1"]);
  deepEqual(await lab.pods("client", clusterIP(1, "IPv4")), [PODS.pod1.IPv4]);
  await set(["pod2"]);
  await set(["pod1", "pod2", "pod3"]);
  deepEqual(await lab.pods("client", clusterIP(1, "IPv4"), 4), Array(4).fill(PODS.pod1.IPv4));
});

test("ipvs: with externalTrafficPolicy Local an outsider with affinity stays with one local pod", async () => {
  const carried = new Carried(lab.open());
  carried.set(
    every("sticky", 1, { externalTrafficPolicy: "Local", sessionAffinity: "ClientIP" }),
    slices("sticky", ["pod1", "pod2", "pod3"]),
  );
  await carried.apply();
  const clients = Array.from({ length: 16 }, (_, at) => `192.168.8.${at + 2}`);
  const seen = new Set<string>();
  for (const from of clients) {
    const pods = new Set(await lab.pods("client", externalIP(1, "IPv4"), 3, { from }));
    equal(pods.size, 1, from);
    for (const pod of pods) seen.add(pod);
  }
  deepEqual([...seen].toSorted(), [PODS.pod1.IPv4, PODS.pod2.IPv4]);
});

const PODS_OF_FOUR = ["pod1", "pod2", "pod3", "pod4"] as const;
/** Ten long connections a pod, a short one after each: how many long ones each pod has. */
async function longConnections(balance: Balance): Promise<number[]> {
  const carried = new Carried(balanced(balance));
  carried.set(
    service("long", 1, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }),
    staying("long", PODS_OF_FOUR),
  );
  await carried.apply();
  const counts = new Map<string, number>();
  for (let number = 0; number < 40; number++) {
    const [pod = ""] = await lab.call("client", clusterIP(1, "IPv4"), 1, { keep: `${balance} ${number}` });
    counts.set(pod, (counts.get(pod) ?? 0) + 1);
    // It is reset when it has been opened: the pod waits for a line that never comes.
    await lab.network.call("client", { protocol: "TCP", ip: clusterIP(1, "IPv4"), port: 80, times: 1, wait: 1 });
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

test("ipvs: PRX-140, PRX-271: SCTP is carried, by clusterIP and node port, though no program here speaks it", async (t) => {
  if ((await lab.node.which("python3")) === undefined)
    return t.skip("python3, which speaks SCTP here, is not installed");
  const script = fileURLToPath(new URL("../lab/sctp.py", import.meta.url));
  const carried = new Carried(lab.open());
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const plan = portPlan(at + 1, [target("pod1", family)], { protocol: "SCTP", family, nodePort: 30_001 });
    carried.setPlan(servicePlan(at + 1, plan));
  }
  await carried.apply();
  let from = 40_000;
  for (const [at, family] of (["IPv4", "IPv6"] as const).entries()) {
    const server = await lab.network
      .at("pod1")
      .open("python3", [script, "answer", family, PODS.pod1[family], String(PORT)], { stderr: "inherit" });
    lab.listeners.push(server);
    await new Promise((resolve) => server.stdout.once("data", resolve));
    const ask = async (ip: string, to: number): Promise<string> =>
      (
        await lab.network.at("client").check("python3", [script, "call", family, ip, String(to), String(from++)])
      ).stdout.trim();
    const ip = clusterIP(at + 1, family);
    // A busy machine may be slower than the three seconds of a call.
    const answered = async (to: string, number: number): Promise<void> => {
      await until(`${to} ${number} to answer`, async () => (await ask(to, number)) === `${to} ${number}`, {
        seconds: 120,
      });
    };
    await answered(ip, 80);
    await answered(NODE[family].client, 30_001);
  }
});
