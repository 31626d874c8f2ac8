import { deepEqual, equal } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { openConntrack, type Conntrack } from "../../../src/host/conntrack/conntrack.ts";
import type { Flow } from "../../../src/host/conntrack/flow.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { udpFlows } from "../../../src/proxy/conntrack/udp-flows.ts";
import { until } from "../../lab/until.ts";
import { quietLog } from "../conntrack/engines.ts";
import { rounds } from "../conntrack/rounds.ts";
import { Carried } from "../lab/carried.ts";
import { staying, type IpvsLab } from "../lab/ipvs.ts";
import { NODE, PODS, PORT, type PodName } from "../lab/network.ts";
import { clusterIP, externalIP, service, slices } from "../lab/objects.ts";

const FAMILIES = ["IPv4", "IPv6"] as const;
const PLACES = ["client", "pod2"] as const;
const NAMES = ["pod1", "pod2", "pod3", "pod4"] as const;
const WAYS = FAMILIES.flatMap((family) => [
  { ip: clusterIP(1, family), port: 80 },
  { ip: externalIP(1, family), port: 80 },
  { ip: NODE[family].client, port: 30_001 },
]);
const SILENCE = ["timeout", "refused", "not permitted", "closed"];
/** This kernel is one process among many of the machine. */
const PATIENT = { seconds: 120 };

type Standing = "ready" | "ending" | "gone";
interface Step {
  readonly pods: Readonly<Partial<Record<PodName, Standing>>>;
  readonly port: number;
  readonly exists: boolean;
  readonly local: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  pods: fc.record(
    Object.fromEntries(NAMES.map((name) => [name, fc.constantFrom<Standing>("ready", "ready", "ending", "gone")])),
  ),
  port: fc.constantFrom(PORT, PORT, PORT + 1),
  exists: fc.constantFrom(true, true, true, false),
  local: fc.boolean(),
});

/** Clients that send on from the same ports, whatever becomes of the Service that they call. */
class Datagrams {
  readonly #lab: IpvsLab;
  readonly #name: string;
  readonly #carried: Carried<never, never, never>;
  readonly #apply: () => Promise<void>;
  readonly #list: () => Flow[];
  /** `address port` of every endpoint that serves. */
  #serving = new Set<string>();

  constructor(
    lab: IpvsLab,
    name: string,
    carried: Carried<never, never, never>,
    apply: () => Promise<void>,
    list: () => Flow[],
  ) {
    this.#name = name;
    this.#lab = lab;
    this.#carried = carried;
    this.#apply = apply;
    this.#list = list;
  }

  /** Changes the Service, and waits until no flow leads to anybody who does not serve. */
  async take({ pods, port, exists, local }: Step): Promise<void> {
    const policy = local ? "Local" : "Cluster";
    const one = service("web", 1, {
      type: "NodePort",
      externalTrafficPolicy: policy,
      externalIPs: FAMILIES.map((family) => externalIP(1, family)),
      ports: [{ name: "udp", port: 80, protocol: "UDP", nodePort: 30_001 }],
    });
    const chosen = NAMES.filter((name) => (pods[name] ?? "gone") !== "gone");
    const all = slices("web", chosen, ["udp"]).map((slice) => ({
      ...slice,
      ports: slice.ports!.map((named) => ({ ...named, port })),
      endpoints: slice.endpoints!.map((endpoint, at) => {
        const ready = pods[chosen[at]!] === "ready";
        return { ...endpoint, conditions: { ready, serving: true, terminating: !ready } };
      }),
    }));
    if (exists) this.#carried.set(one, all);
    else this.#carried.remove(one, all);
    await this.#apply();
    this.#serving = new Set(
      exists ? chosen.flatMap((pod) => FAMILIES.map((family) => `${PODS[pod][family]} ${port}`)) : [],
    );
    let last: readonly string[] = [];
    await until(
      "no flow to lead to anybody who does not serve",
      async () => {
        const answers = await this.ask(this.#name);
        last = [...answers.filter((who) => !SILENCE.includes(who) && !this.#serving.has(who)), ...this.#wrong()];
        return last.length === 0;
      },
      PATIENT,
    ).catch((error: unknown) => {
      throw new Error(`after ${JSON.stringify({ pods, port, exists, local })}: ${last.join(", ")}`, { cause: error });
    });
  }

  /** One datagram by every way: `address port` of who answered. */
  async ask(name: string): Promise<string[]> {
    const calls = PLACES.flatMap((place) =>
      WAYS.map(async (way) => {
        const keep = `${name} ${place} ${way.ip}`;
        const [answer = ""] = await this.#lab.call(place, way.ip, 1, { ...way, protocol: "UDP", keep, wait: 3000 });
        const [address, source, port = PORT] = answer.split(" ");
        return source === undefined ? answer : `${address} ${port}`;
      }),
    );
    return Promise.all(calls);
  }

  /** Waits until each flow is answered, and by this pod. */
  async answeredBy(name: string, pod: PodName, port = PORT): Promise<void> {
    const due = PLACES.flatMap(() => WAYS.map(({ ip }) => `${PODS[pod][ip.includes(":") ? "IPv6" : "IPv4"]} ${port}`));
    await until(`${pod} to answer ${name}`, async () => String(await this.ask(name)) === String(due), PATIENT);
  }

  /** The kernel's entries that belong to the Service and lead to somebody. */
  #led(): Flow[] {
    const mine = new Set(WAYS.map(({ ip, port }) => `${ip} ${port}`));
    return this.#list().filter(({ original: { destination, destinationPort }, reply: { source, sourcePort } }) => {
      const isMine = mine.has(`${destination} ${destinationPort}`);
      // A flow that nobody was chosen for ends at the address that was called.
      const isLed = source !== destination || sourcePort !== destinationPort;
      return isMine && isLed;
    });
  }

  /** How many flows lead to this pod. */
  leadTo(pod: PodName): number {
    return this.#led().filter(({ family, reply }) => reply.source === PODS[pod][family]).length;
  }

  #wrong(): string[] {
    return this.#led()
      .filter(({ reply }) => !this.#serving.has(`${reply.source} ${reply.sourcePort}`))
      .map((flow) => JSON.stringify(flow));
  }
}

/** What becomes of datagrams when endpoints change. */
export function datagramTests(lab: IpvsLab): void {
  /** `name` is that of the sockets; `cleans`: flows are taken away as the proxy does, not by the engine alone. */
  const open = async (t: TestContext, name: string, cleans = true) => {
    const conntrack = await openConntrack(lab.node);
    t.after(() => conntrack.close());
    const removed: Flow[] = [];
    const watched: Conntrack = { ...conntrack, remove: (flows) => (removed.push(...flows), conntrack.remove(flows)) };
    const aftermath = udpFlows({
      conntrack: watched,
      clock: systemClock,
      log: quietLog(),
      metrics: { cleaned: () => {} },
      answersItself: false,
    });
    t.after(() => aftermath.stop());
    const carried = new Carried(lab.open());
    const list = (): Flow[] => conntrack.list({ protocol: "UDP" });
    const apply = rounds(carried, cleans ? [aftermath] : []);
    return { carried, removed, datagrams: new Datagrams(lab, name, carried as never, apply, list) };
  };
  const usual = { port: PORT, exists: true, local: false };

  test("ipvs: PRX-201, PRX-203, PRX-204, PRX-205, PRX-206, PRX-207, PRX-208: flows of datagrams leave who does not serve and stay with who does, and connections stay", async (t) => {
    const { carried, removed, datagrams } = await open(t, "flow");
    const tcp = service("tcp", 2, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] });
    carried.set(tcp, staying("tcp", ["pod1"]));
    await datagrams.take({ ...usual, pods: {} });
    await datagrams.take({ ...usual, pods: { pod1: "ready" } });
    await datagrams.answeredBy("flow", "pod1");
    // What is looked for later can be seen.
    equal(datagrams.leadTo("pod1"), PLACES.length * WAYS.length);
    const say = (): Promise<string[]> => lab.call("client", clusterIP(2, "IPv4"), 1, { keep: "connection" });
    deepEqual(await say(), [PODS.pod1.IPv4]);
    carried.set(tcp, staying("tcp", ["pod3"]));
    await datagrams.take({ ...usual, pods: { pod1: "ending", pod3: "ready" } });
    await datagrams.answeredBy("flow", "pod1");
    await datagrams.answeredBy("fresh", "pod3");
    await datagrams.take({ ...usual, pods: { pod3: "ready" } });
    await datagrams.answeredBy("flow", "pod3");
    await datagrams.take({ ...usual, port: PORT + 1, pods: { pod3: "ready" } });
    await datagrams.answeredBy("flow", "pod3", PORT + 1);
    await datagrams.take({ ...usual, pods: {} });
    await datagrams.take({ ...usual, pods: { pod4: "ready" } });
    await datagrams.answeredBy("flow", "pod4");
    await datagrams.take({ ...usual, exists: false, pods: { pod4: "ready" } });
    deepEqual(await say(), [PODS.pod1.IPv4]);
    // Since Linux 5.9 the kernel ends flows with their real server, and there may be none left to take away.
    deepEqual(
      removed.filter(({ protocol }) => protocol !== "UDP"),
      [],
    );
  });

  test("ipvs: the engine alone leads no datagram to who does not serve", async (t) => {
    const { datagrams } = await open(t, "alone", false);
    await datagrams.take({ ...usual, pods: { pod1: "ready" } });
    await datagrams.answeredBy("alone", "pod1");
    await datagrams.take({ ...usual, pods: { pod3: "ready" } });
    await datagrams.answeredBy("alone", "pod3");
  });

  test("ipvs: PRX-203, PRX-204, PRX-207: after any sequence of changes no UDP flow leads where the plan leads nobody", async (t) => {
    const { datagrams } = await open(t, "any");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 5 }), async (steps) => {
        for (const one of steps) await datagrams.take(one);
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });
}
