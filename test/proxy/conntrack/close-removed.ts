import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { createInterface } from "node:readline";
import { after, afterEach, before, test } from "node:test";
import { openConntrack, type Conntrack } from "../../../src/host/conntrack/conntrack.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { closer } from "../../../src/proxy/conntrack/closer.ts";
import { closeRemoved } from "../../../src/proxy/conntrack/close-removed.ts";
import { until } from "../../lab/until.ts";
import { Carried } from "../lab/carried.ts";
import { NODE, openNetwork, PODS, type Network, type Place, type PodName } from "../lab/network.ts";
import { clusterIP, service, slices } from "../lab/objects.ts";
import { engineOn, quietLog, type KernelEngine } from "./engines.ts";
import { rounds } from "./rounds.ts";

const script = new URL("holder.ts", import.meta.url).pathname;
const HELD = 8090;
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

/** Runs a holder of connections; answers what it has said so far. */
async function hold(place: Place, ...words: string[]): Promise<string[]> {
  const running = await network.at(place).open(process.execPath, [script, ...words], { stderr: "inherit" });
  const said: string[] = [];
  createInterface({ input: running.stdout }).on("line", (line) => said.push(line));
  ending.push(async () => {
    running.stdin.end();
    await running.ended;
  });
  return said;
}
const serve = async (pod: "pod1" | "pod2"): Promise<string[]> => {
  const said = await hold(pod, "serve", String(HELD), PODS[pod].IPv4, PODS[pod].IPv6);
  await until("the server to listen", () => said.length === 2);
  return said;
};
const web = (onRemoval: string) => {
  const one = service("web", 1, {
    type: "NodePort",
    ports: [{ name: "tcp", port: 80, protocol: "TCP", nodePort: 30_001 }],
  });
  return { ...one, metadata: { ...one.metadata, annotations: { "fairlead.dev/on-removal": onRemoval } } };
};
const held = (pods: readonly PodName[]) =>
  slices("web", pods, ["tcp"]).map((one) => ({ ...one, ports: [{ name: "tcp", port: HELD, protocol: "TCP" }] }));

async function carry(name: KernelEngine) {
  const carried = new Carried(await engineOn(network.at("node"), name));
  const told: string[] = [];
  const closes = closer({ host: network.at("node"), conntrack, clock: systemClock, random: Math.random });
  const aftermath = closeRemoved({
    conntrack,
    closer: closes,
    clock: systemClock,
    log: quietLog(),
    tell: (services, type, reason, message) => told.push(`${services.join(",")} ${type} ${reason} ${message}`),
  });
  ending.push(async () => {
    await aftermath.stop();
    await closes.stop();
    doesNotMatch(await tables(), /fairlead_closing/);
    await carried.engine.cleanup(AbortSignal.timeout(30_000));
    await carried.engine.close();
  });
  return { carried, apply: rounds(carried, [aftermath]), told };
}
const ends = (said: readonly string[]): string[] => said.filter((line) => line.startsWith("ended")).toSorted();
const opened = (said: readonly string[]): number => said.filter((line) => line.startsWith("opened")).length;
const tables = async (): Promise<string> => (await network.at("node").check("nft", ["list", "tables"])).stdout;

/** With real packets, by an engine whose connections pass through the kernel. */
export function closeRemovedTests(engine: KernelEngine): void {
  for (const family of ["IPv4", "IPv6"] as const) {
    test(`${engine}: connections to an endpoint that is gone are reset at both ends, idle or busy, from outside, the node and a pod (${family})`, async () => {
      const { carried, apply, told } = await carry(engine);
      const server = await serve("pod1");
      carried.set(web("close"), held(["pod1"]));
      await apply();
      const kinds = ["idle", "busy"];
      const callers = [
        await hold("client", "call", clusterIP(1, family), "80", ...kinds),
        await hold("client", "call", NODE[family].client, "30001", ...kinds),
        await hold("node", "call", clusterIP(1, family), "80", ...kinds),
        await hold("pod2", "call", clusterIP(1, family), "80", ...kinds),
      ];
      await until("all connections", () => callers.every((said) => opened(said) === 2) && opened(server) === 8);
      carried.set(web("close"), held(["pod2"]));
      const began = Date.now();
      await apply();
      await until(
        "both ends of all to hear it",
        () => callers.every((said) => ends(said).length === 2) && ends(server).length === 8,
      );
      const took = Date.now() - began;
      for (const said of callers) deepEqual(ends(said), ["ended busy1 ECONNRESET", "ended idle0 ECONNRESET"]);
      deepEqual(ends(server), Array(8).fill("ended client ECONNRESET"));
      ok(took < 10_000, `${took} ms`);
      deepEqual(told, []);
      // The same clients come to the other endpoint at once.
      const other = await serve("pod2");
      const again = await hold("client", "call", clusterIP(1, family), "80", "idle");
      await until("a new connection", () => opened(again) === 1 && opened(other) === 1);
      match(await tables(), /fairlead_closing/);
    });
  }

  test(`${engine}: PRX-026, PRX-201: connections to an endpoint that is gone go on where nothing else is said, and until a close-after is over`, async () => {
    const { carried, apply } = await carry(engine);
    const server = await serve("pod1");
    carried.set(web("keep"), held(["pod1"]));
    await apply();
    const caller = await hold("client", "call", clusterIP(1, "IPv4"), "80", "idle", "busy");
    await until("the connections", () => opened(caller) === 2 && opened(server) === 2);
    carried.set(web("keep"), held(["pod2"]));
    await apply();
    carried.set(web("close-after=3s"), held(["pod1"]));
    await apply();
    carried.set(web("close-after=3s"), held(["pod2"]));
    const began = Date.now();
    await apply();
    await until("both ends to hear it", () => ends(caller).length === 2 && ends(server).length === 2);
    ok(Date.now() - began >= 3000, `after ${Date.now() - began} ms`);
  });

  test(`${engine}: connections to an endpoint that is back before its time is over go on, and a deleted Service closes its own`, async () => {
    const { carried, apply } = await carry(engine);
    const server = await serve("pod1");
    carried.set(web("close-after=1s"), held(["pod1"]));
    await apply();
    const caller = await hold("client", "call", clusterIP(1, "IPv4"), "80", "idle");
    const direct = await hold("client", "call", PODS.pod1.IPv4, String(HELD), "idle");
    await until("the connections", () => opened(caller) === 1 && opened(direct) === 1 && opened(server) === 2);
    carried.set(web("close-after=1s"), held(["pod2"]));
    await apply();
    carried.set(web("close-after=1s"), held(["pod1"]));
    await apply();
    const over = Date.now() + 2500;
    await until("the time to be over", () => Date.now() > over);
    deepEqual(ends(caller), []);
    carried.remove(web("close-after=1s"), held(["pod1"]));
    await apply();
    await until("it to be closed", () => ends(caller).length === 1 && ends(server).length === 1);
    equal(ends(direct).length, 0, "a connection to the pod itself is not the Service's");
  });
}
