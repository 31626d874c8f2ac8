import { deepEqual, equal, ok } from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { createInterface } from "node:readline";
import { openConntrack, type Conntrack } from "../../../src/host/conntrack/conntrack.ts";
import { ipBatch } from "../../../src/host/ip.ts";
import { Routes } from "../../../src/host/routes.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { takesConnection } from "../../../src/proxy/penalty/ask.ts";
import { penalties, type Penalties } from "../../../src/proxy/penalty/penalties.ts";
import { until } from "../../lab/until.ts";
import { engineOn, quietLog, type KernelEngine } from "../conntrack/engines.ts";
import { rounds } from "../conntrack/rounds.ts";
import { Carried } from "../lab/carried.ts";
import { openNetwork, PODS, PORT, type Network, type Place } from "../lab/network.ts";
import { clusterIP, nodePlan, service, slices } from "../lab/objects.ts";

const script = new URL("stream.ts", import.meta.url).pathname;
let network: Network;
let conntrack: Conntrack;
const ending: (() => Promise<void>)[] = [];

before(async () => {
  network = await openNetwork();
  conntrack = await openConntrack(network.at("node"));
});
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});
after(async () => {
  conntrack?.close();
  await network?.close();
});

interface Call {
  readonly at: number;
  readonly took: number;
  readonly end: string;
}

/** A steady stream of new connections; answers what became of those since the last call. */
async function stream(from: Place, ip: string, every: number): Promise<() => Promise<Call[]>> {
  const words = [script, ip, "80", String(every)];
  const running = await network.at(from).open(process.execPath, words, { stderr: "inherit" });
  const lines = createInterface({ input: running.stdout });
  ending.push(async () => {
    running.stdin.end();
    await running.ended;
  });
  return async () => {
    const answer = new Promise<string>((resolve) => lines.once("line", resolve));
    running.stdin.write("\n");
    return JSON.parse(await answer) as Call[];
  };
}

async function carry(name: KernelEngine) {
  const carried = new Carried(await engineOn(network.at("node"), name));
  const metrics = createMetrics();
  const told: string[] = [];
  const routes = new Routes(conntrack.network);
  let working = Promise.resolve();
  const box: Penalties = penalties({
    clock: systemClock,
    log: quietLog(),
    metrics,
    events: conntrack.events(),
    routes,
    ask: (endpoint) => takesConnection(conntrack.network, endpoint, systemClock),
    replan(services) {
      carried.tracker.touch(services);
      working = working.then(apply);
    },
    tell: (services, type, reason, message) => told.push(`${services.join(",")} ${type} ${reason} ${message}`),
  });
  const { nodeName, families } = nodePlan();
  carried.tracker.setContext({
    nodeName,
    families,
    zone: undefined,
    isPenalized: (target, protocol) => box.isPenalized(target, protocol),
  });
  const apply = rounds(carried, [box]);
  ending.push(async () => {
    await box.stop();
    await working;
    routes.close();
    await carried.engine.cleanup(AbortSignal.timeout(30_000));
    await carried.engine.close();
  });
  const isOut = (ip: string): boolean => box.isPenalized({ ip, port: PORT }, "TCP");
  const text = (): Promise<string> => metrics.text((name, error) => ok(false, `${name}: ${String(error)}`));
  return { carried, box, apply, told, isOut, text };
}
const answered = ({ end }: Call): boolean => end.startsWith("10.244.") || end.startsWith("fd00:244:");
const late = (calls: readonly Call[], cut: number): Call[] =>
  calls.filter((one) => !answered(one) && one.at - cut >= 1000);

for (const engine of ["nftables", "iptables"] as const) {
  /** The pod's own end, and the node's: what a pod's network going away looks like from either side. */
  for (const [what, place, link, hasDefault] of [
    ["its own end", "pod1", "eth0", true],
    ["the node's end", "node", "flpod1", true],
    ["the node's end, with no other way to anywhere,", "node", "flpod1", false],
  ] as const) {
    test(`${engine}: new connections stop failing within a second after a pod's network is cut (${what} is taken down), and come back after it`, async () => {
      const { carried, apply, told, isOut, text } = await carry(engine);
      carried.set(service("web", 1), slices("web", ["pod1", "pod2", "pod3"]));
      await apply();
      const take = await stream("client", clusterIP(1, "IPv4"), 10);
      await until("a hundred connections", async () => (await take()).filter(answered).length > 50, { every: 1000 });
      const up = [
        `link set ${link} up`,
        ...(place === "pod1"
          ? ["route replace 10.244.0.1 dev eth0", "route replace default via 10.244.0.1"]
          : [
              ...(hasDefault ? [] : ["route replace default via 192.168.8.2"]),
              `route replace ${PODS.pod1.IPv4} dev flpod1 src 10.244.0.1`,
            ]),
      ];
      ending.push(() => ipBatch(network.at(place), up));
      if (!hasDefault) await ipBatch(network.at("node"), ["route del default"]);
      const cut = Date.now();
      await network.at(place).check("ip", ["link", "set", link, "down"]);
      const calls: Call[] = [];
      await until("two seconds of connections after the cut", async () => {
        calls.push(...(await take()));
        return calls.filter(({ at }) => at - cut > 1000).length > 150;
      });
      const failed = calls.filter((one) => !answered(one));
      // A way that is gone may be noticed before anybody is sent there.
      ok(!hasDefault || failed.length > 0, "the cut was felt");
      deepEqual(late(calls, cut), [], `of ${calls.length} connections`);
      ok(isOut(PODS.pod1.IPv4));
      ok(
        told[0]?.startsWith(`default/web Warning EndpointPenalized ${PODS.pod1.IPv4}:${PORT} does not take`),
        told.join(),
      );
      ok((await text()).includes("fairlead_proxy_penalized_endpoints 1\n"));
      ok((await text()).includes("fairlead_proxy_penalties_total 1\n"));
      await ipBatch(network.at(place), up);
      await until("the pod to be let in again", () => !isOut(PODS.pod1.IPv4));
      await take();
      await until("it to answer", async () => (await take()).some(({ end }) => end === PODS.pod1.IPv4));
      const back = await take();
      deepEqual(
        back.filter((one) => !answered(one)),
        [],
        "no client paid for the tries",
      );
      ok(told.at(-1)?.includes("Normal EndpointReleased"), told.join());
    });
  }
}

test("an endpoint that refuses is left out; one that is refusing alone is not", async () => {
  const { carried, box, apply } = await carry("nftables");
  const [good] = slices("mixed", ["pod1"], ["tcp"]);
  // Nobody listens on port 9.
  const ports = [{ name: "tcp", port: 9, protocol: "TCP" }];
  const [refusing] = slices("mixed", ["pod1"], ["tcp"]).map((one) => ({
    ...one,
    metadata: { ...one.metadata, name: "refusing" },
    ports,
  }));
  carried.set(
    service("alone", 3),
    slices("alone", ["pod1"], ["tcp"]).map((one) => ({ ...one, ports })),
  );
  await apply();
  const refused = ({ end }: Call): boolean => end === "refused";
  const alone = await stream("client", clusterIP(3, "IPv4"), 50);
  await until("refusals", async () => (await alone()).filter(refused).length > 5, { every: 1000 });
  const isLeftOut = (): boolean => box.isPenalized({ ip: PODS.pod1.IPv4, port: 9 }, "TCP");
  equal(isLeftOut(), false, "the last one standing");
  carried.set(service("mixed", 2), [good!, refusing!]);
  await apply();
  const mixed = await stream("client", clusterIP(2, "IPv4"), 20);
  await until("the refusing endpoint to be left out", isLeftOut);
  await mixed();
  const calls: Call[] = [];
  await until("fifty connections", async () => calls.push(...(await mixed())) > 50);
  const since = calls[0]!.at + 500;
  deepEqual(
    calls.filter((one) => one.at > since && !answered(one)),
    [],
  );
  const still = await alone();
  ok(still.length > 0 && still.every(refused), "where it is the last one standing it is still called");
});

test("a healthy endpoint under load is never in doubt, and one client that a firewall keeps out changes nothing", async () => {
  const { carried, apply, told } = await carry("nftables");
  carried.set(service("web", 4), slices("web", ["pod1", "pod2"]));
  await apply();
  const outcast = "192.168.8.9";
  await network.at("pod1").check("nft", ["-f", "-"], {
    input: `table ip outcast {\nchain in { type filter hook prerouting priority -400; ip saddr ${outcast} drop; }\n}\n`,
  });
  try {
    const calls = await Promise.all([
      network.call("client", {
        protocol: "TCP",
        ip: clusterIP(4, "IPv4"),
        port: 80,
        times: 4000,
        together: 32,
        from: "192.168.8.3",
      }),
      network.call("client", {
        protocol: "TCP",
        ip: PODS.pod1.IPv4,
        port: PORT,
        times: 3,
        wait: 500,
        together: 1,
        from: outcast,
      }),
      network.call("client", {
        protocol: "TCP",
        ip: clusterIP(4, "IPv4"),
        port: 80,
        times: 6,
        wait: 700,
        together: 1,
        from: outcast,
      }),
    ]);
    deepEqual(
      calls[0].filter((answer) => !answer.startsWith("10.244.")),
      [],
    );
    deepEqual(told, []);
  } finally {
    await network.at("pod1").check("nft", ["delete", "table", "ip", "outcast"]);
  }
});
