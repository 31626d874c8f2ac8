import { deepEqual, equal, ok } from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { openConntrack, type Conntrack } from "../../../src/host/conntrack/conntrack.ts";
import type { Flow } from "../../../src/host/conntrack/flow.ts";
import type { Running } from "../../../src/host/host.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { conntrackMetrics } from "../../../src/proxy/conntrack/metrics.ts";
import { udpFlows } from "../../../src/proxy/conntrack/udp-flows.ts";
import { until } from "../../lab/until.ts";
import { Carried } from "../lab/carried.ts";
import { NODE, openNetwork, PODS, PORT, type Network, type Place, type PodName } from "../lab/network.ts";
import { clusterIP, externalIP, service, slices } from "../lab/objects.ts";
import { engineOn, quietLog, type KernelEngine } from "./engines.ts";
import { rounds } from "./rounds.ts";

const script = new URL("senders.ts", import.meta.url).pathname;
const FAMILIES = ["IPv4", "IPv6"] as const;
type Ends = () => Promise<void>;
let network: Network;
let conntrack: Conntrack;
const ending: Ends[] = [];

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

const carry = async (name: KernelEngine) => {
  const carried = new Carried(await engineOn(network.at("node"), name));
  const metrics = createMetrics();
  const aftermath = udpFlows({
    conntrack,
    clock: systemClock,
    log: quietLog(),
    metrics: conntrackMetrics(metrics, FAMILIES, () => conntrack.usage()),
    answersItself: false,
  });
  ending.push(async () => {
    await aftermath.stop();
    await carried.engine.cleanup(AbortSignal.timeout(30_000));
    await carried.engine.close();
    conntrack.remove(conntrack.list({ protocol: "UDP" }));
  });
  const text = (): Promise<string> => metrics.text((name, error) => ok(false, `${name}: ${String(error)}`));
  return { carried, aftermath, apply: rounds(carried, [aftermath]), text };
};

/** Clients that never fall silent; answers who answered each since the last call. */
async function send(from: Place, ways: readonly (readonly [ip: string, port: number])[], first: number) {
  const words = ways.flatMap(([ip, port], at) => [ip, String(port), String(first + at)]);
  const running: Running = await network.at(from).open(process.execPath, [script, ...words], { stderr: "inherit" });
  ending.push(async () => {
    running.stdin.end();
    await running.ended;
  });
  return async (): Promise<(string | null)[]> => {
    const answer = new Promise<string>((resolve) => running.stdout.once("data", (text) => resolve(String(text))));
    running.stdin.write("\n");
    return JSON.parse(await answer) as (string | null)[];
  };
}
/** Waits until each is answered, and by one of these. */
const answeredBy = async (ask: () => Promise<(string | null)[]>, pods: readonly PodName[], what: string) => {
  const ips = new Set<string | null>(pods.flatMap((pod) => [PODS[pod].IPv4, PODS[pod].IPv6]));
  await ask();
  await until(what, async () => (await ask()).every((who) => ips.has(who)));
};
const nodePort = (number: number) => ({
  type: "NodePort",
  externalIPs: FAMILIES.map((family) => externalIP(number, family)),
  ports: [{ name: "udp", port: 80, protocol: "UDP", nodePort: number + 30_000 }],
});
const ways = (number: number) =>
  FAMILIES.flatMap((family) => [
    [clusterIP(number, family), 80] as const,
    [externalIP(number, family), 80] as const,
    [NODE[family].client, number + 30_000] as const,
  ]);
const flowsOf = (number: number): Flow[] => {
  const mine = new Set(ways(number).map(([ip, port]) => `${ip} ${port}`));
  const all = conntrack.list({ protocol: "UDP" });
  return all.filter(({ original }) => mine.has(`${original.destination} ${original.destinationPort}`));
};
const withPort = (given: readonly EndpointSlice[], port: number): EndpointSlice[] =>
  given.map((slice) => ({ ...slice, ports: slice.ports!.map((one) => ({ ...one, port })) }));

type Standing = "ready" | "ending" | "gone";
interface Step {
  readonly number: 7 | 8;
  readonly pods: readonly Standing[];
  readonly exists: boolean;
  readonly port: number;
  readonly local: boolean;
}
const NAMES: readonly PodName[] = ["pod1", "pod2", "pod3", "pod4"];
const step: fc.Arbitrary<Step> = fc.record({
  number: fc.constantFrom(7, 8),
  pods: fc.array(fc.constantFrom("ready", "ready", "ending", "gone"), { minLength: 4, maxLength: 4 }),
  exists: fc.constantFrom(true, true, false),
  port: fc.constantFrom(PORT, PORT, PORT, PORT + 1),
  local: fc.boolean(),
});

/** With real packets, by an engine whose connections pass through the kernel. */
export function udpFlowTests(engine: KernelEngine): void {
  test(`${engine}: PRX-202, PRX-203, PRX-206, PRX-136: a client that never falls silent leaves an endpoint that is gone, on every way in`, async () => {
    const { carried, apply, text } = await carry(engine);
    const web = service("web", 1, nodePort(1));
    carried.set(service("other", 9), slices("other", ["pod1"]));
    await apply();
    // Flows from before the Service: nobody answers them.
    const ask = await send("client", ways(1), 20_000);
    await until("flows that lead nowhere", () => flowsOf(1).length >= 4);
    carried.set(web, slices("web", ["pod1"], ["udp"]));
    await apply();
    await answeredBy(ask, ["pod1"], "the first endpoint to answer all");
    carried.set(web, slices("web", ["pod3"], ["udp"]));
    await apply();
    await answeredBy(ask, ["pod3"], "the other endpoint to answer all");
    const metric = await text();
    const deleted = /deleted_entries_total\{ip_family="IPv6"\} (\d+)/.exec(metric);
    ok(Number(deleted?.[1]) >= 3, metric);
    ok(/sync_duration_seconds_count\{ip_family="IPv4"\} [1-9]/.test(metric), metric);
    ok(/fairlead_proxy_conntrack_entries [1-9]/.test(metric), metric);
    ok(/fairlead_proxy_conntrack_limit [1-9]/.test(metric), metric);
  });

  test(`${engine}: PRX-204: an endpoint that ends and still serves keeps its flows`, async () => {
    const { carried, apply } = await carry(engine);
    const web = service("web", 2, nodePort(2));
    carried.set(web, slices("web", ["pod1"], ["udp"]));
    await apply();
    const ask = await send("client", ways(2), 20_100);
    await answeredBy(ask, ["pod1"], "the endpoint to answer");
    const endings = slices("web", ["pod1", "pod3"], ["udp"]).map((slice) => ({
      ...slice,
      endpoints: slice.endpoints!.map((one, at) =>
        at > 0 ? one : { ...one, conditions: { ready: false, serving: true, terminating: true } },
      ),
    }));
    carried.set(web, endings);
    await apply();
    const fresh = await send("client", ways(2), 20_200);
    await answeredBy(fresh, ["pod3"], "new flows to go elsewhere");
    await answeredBy(ask, ["pod1"], "the old flows to stay");
    carried.set(web, slices("web", ["pod3"], ["udp"]));
    await apply();
    await answeredBy(ask, ["pod3"], "the old flows to leave when it serves no more");
  });

  test(`${engine}: PRX-205, PRX-207, PRX-208: flows leave a changed targetPort, a Service without endpoints, and one that is deleted`, async () => {
    const { carried, apply } = await carry(engine);
    const web = service("web", 3, nodePort(3));
    const udp = slices("web", ["pod1"], ["udp"]);
    carried.set(web, withPort(udp, PORT + 1));
    await apply();
    const ask = await send("client", ways(3), 20_300);
    await until("flows to the wrong port", () => flowsOf(3).length === 6);
    carried.set(web, udp);
    await apply();
    await answeredBy(ask, ["pod1"], "the right port to answer");
    const stale = (): Flow[] => flowsOf(3).filter(({ reply }) => reply.sourcePort === PORT);
    await until("the flows to the right port", () => stale().length === 6);
    carried.set(web, slices("web", [], ["udp"]));
    await apply();
    await until("the flows of a Service without endpoints to go", () => stale().length === 0);
    carried.set(web, udp);
    await apply();
    await answeredBy(ask, ["pod1"], "it to be back");
    carried.remove(web, udp);
    await apply();
    await until("the flows of a deleted Service to go", () => stale().length === 0);
  });

  test(`${engine}: PRX-208: flows of a Service that was deleted while the proxy was away are gone after its start`, async () => {
    const first = await carry(engine);
    const udp = slices("web", ["pod1"], ["udp"]);
    first.carried.set(service("web", 4), udp);
    await first.apply();
    const clusterWays = FAMILIES.map((family) => [clusterIP(4, family), 80] as const);
    const ask = await send("client", clusterWays, 20_400);
    await answeredBy(ask, ["pod1"], "the endpoint to answer");
    await first.aftermath.stop();
    const second = await carry(engine);
    second.carried.set(service("other", 5), slices("other", ["pod1"]));
    await second.apply();
    await until("the flows to go", () =>
      flowsOf(4).every(({ reply }) => reply.source !== PODS.pod1.IPv4 && reply.source !== PODS.pod1.IPv6),
    );
  });

  test(`${engine}: PRX-201: flows of TCP and of others than Services stay`, async () => {
    const { carried, apply } = await carry(engine);
    const web = service("web", 6);
    carried.set(web, slices("web", ["pod1"]));
    await apply();
    const direct = await send("client", [[PODS.pod3.IPv4, PORT]], 20_500);
    await answeredBy(direct, ["pod3"], "a flow that no Service has to do with");
    await network.call("client", { protocol: "TCP", ip: clusterIP(6, "IPv4"), port: 80, times: 5 });
    const tcp = (): string[] =>
      conntrack
        .list({ protocol: "TCP", original: { destinationPort: 80 } })
        .map(({ original }) => String(original.sourcePort))
        .toSorted();
    const held = tcp();
    ok(held.length >= 5);
    const others = () => conntrack.list({ protocol: "UDP", original: { destinationPort: PORT, sourcePort: 20_500 } });
    equal(others().length, 1);
    const removed: Flow[] = [];
    const watched: Conntrack = { ...conntrack, remove: (flows) => (removed.push(...flows), conntrack.remove(flows)) };
    const aftermath = udpFlows({
      conntrack: watched,
      clock: systemClock,
      log: quietLog(),
      metrics: { cleaned: () => {} },
      answersItself: false,
    });
    const again = rounds(carried, [aftermath]);
    carried.set(web, slices("web", ["pod3"]));
    await again();
    const ask = await send("client", [[clusterIP(6, "IPv4"), 80]], 20_501);
    await answeredBy(ask, ["pod3"], "the change to be carried");
    carried.remove(web, slices("web", []));
    await again();
    await until("the flow of the Service to go", () => removed.length > 0);
    await aftermath.stop();
    deepEqual(tcp(), held);
    equal(removed.filter((flow) => flow.protocol !== "UDP" || flow.original.sourcePort === 20_500).length, 0);
  });

  test(
    `${engine}: PRX-203, PRX-204, PRX-206, PRX-207: after any sequence of changes no UDP flow leads where the plan leads nobody`,
    { timeout: 300_000 },
    async () => {
      const { carried, apply } = await carry(engine);
      for (const place of ["client", "node", "pod2"] as const) {
        await send(place, [...ways(7), ...ways(8)], place === "client" ? 21_000 : 21_100);
      }
      const allowed = new Map<number, Set<string>>([
        [7, new Set()],
        [8, new Set()],
      ]);
      const wrong = (): string[] =>
        [7, 8].flatMap((number) =>
          flowsOf(number)
            .filter(({ original, reply }) => {
              const isUntouched =
                reply.source === original.destination && reply.sourcePort === original.destinationPort;
              const isAllowed = allowed.get(number)!.has(`${reply.source} ${reply.sourcePort}`);
              // Where nobody answers, a flow may lead to the address of the Service itself.
              return !isAllowed && !(isUntouched && allowed.get(number)!.size === 0);
            })
            .map((flow) => `${number}: ${JSON.stringify(flow)}`),
        );
      const take = async ({ number, pods, exists, port, local }: Step): Promise<void> => {
        const name = `web${number}`;
        const policy = local ? "Local" : "Cluster";
        const one: Service = service(name, number, { ...nodePort(number), externalTrafficPolicy: policy });
        const chosen = NAMES.filter((_, at) => pods[at] !== "gone");
        const all = withPort(slices(name, chosen, ["udp"]), port).map((slice) => ({
          ...slice,
          endpoints: slice.endpoints!.map((endpoint, at) => {
            const ready = pods[NAMES.indexOf(chosen[at]!)] === "ready";
            return { ...endpoint, conditions: { ready, serving: true, terminating: !ready } };
          }),
        }));
        if (exists) carried.set(one, all);
        else carried.remove(one, all);
        await apply();
        const leads = exists ? chosen.flatMap((pod) => FAMILIES.map((family) => `${PODS[pod][family]} ${port}`)) : [];
        allowed.set(number, new Set(leads));
        let last: string[] = [];
        await until(`no wrong flow after ${JSON.stringify({ number, pods, exists, port })}`, () => {
          last = wrong();
          return last.length === 0;
        }).catch((error: unknown) => {
          throw new Error(`${(error as Error).message}: ${last.join(", ")}`, { cause: error });
        });
      };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 10 }), async (steps) => {
          for (const one of steps) await take(one);
        }),
        { numRuns: 4 },
      );
    },
  );
}
