import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { maglevTable } from "../../../net/maglev.ts";
import type { Balance, NodePlan, ServicePlan, Target } from "../../plan/plan.ts";
import { compile, type NftPart } from "./compile.ts";
import type { Element } from "./elements.ts";
import { compileNode } from "./frame.ts";
import { listNumber, LOCAL_BIT, PORT_SHIFT, priorityNumber, priorityText } from "./listid.ts";
import { assignSlots } from "./numbering.ts";
import { shapeLines, type Shape } from "./shape.ts";
import { slotShares } from "./shares.ts";
import { Transaction } from "./stage.ts";
import { NftState } from "./state.ts";

const NODE: NodePlan = {
  nodeName: "n1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: ["192.168.8.1"], IPv6: [] },
  localhostNodePorts: false,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16"] },
  nodeAddresses: ["192.168.8.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};

const PLAIN: Shape = {
  slots: 1,
  choice: "random",
  list: undefined,
  affinity: undefined,
  local: false,
  keepsPort: false,
};

/** nft, as far as elements go: what a text makes of sets, refusing what the kernel refuses. */
class Model {
  readonly sets = new Map<string, Map<string, string | undefined>>();

  run(lines: readonly string[]): void {
    for (const line of lines) {
      const match = /^(add|delete) element (\S+ \S+ \S+) \{ (.*) \}$/.exec(line);
      if (match === null) continue;
      const [, verb, name, body] = match;
      const set = this.sets.get(name!) ?? new Map<string, string | undefined>();
      this.sets.set(name!, set);
      for (const text of body!.split(", ")) {
        const [key, data] = text.split(" : ") as [string, string | undefined];
        if (verb === "delete") ok(set.delete(key), `deleting ${key} from ${name}: it is not there`);
        else {
          ok(
            !set.has(key) || set.get(key) === data || name!.endsWith(" state"),
            `adding ${key} to ${name}: it is there`,
          );
          set.set(key, data);
        }
      }
    }
  }

  of(set: string): ReadonlyMap<string, string | undefined> {
    return this.sets.get(`ip fairlead ${set}`) ?? new Map();
  }
}

/** What a way in means, found as a packet finds it: the targets it can get to. */
function resolve(model: Model, map: string, key: string, l4: "t" | "u", affinity: boolean): string[] | undefined {
  const data = model.of(map).get(key);
  if (data === undefined) return undefined;
  const number = priorityNumber(data);
  const shape = model.of("shapes").get(priorityText(number & 0x1ffc));
  if (shape === undefined) return [];
  const slots = Number(/^goto (?:lb|rr|ch)(\d+)/.exec(shape)![1]);
  equal(/_t\d+/.test(shape), affinity);
  const list = (number & 0xffffe000) >>> 0;
  return Array.from({ length: slots }, (_, slot) => {
    const found = model.of(affinity ? "aslot" : `be${l4}`).get(`${priorityText(list)} . ${slot}`);
    ok(found !== undefined, `slot ${slot} of ${key} is there`);
    if (!affinity) return found;
    const endpoint = (priorityNumber(found) | (list & LOCAL_BIT)) >>> 0;
    equal(endpoint >>> PORT_SHIFT, number >>> PORT_SHIFT);
    const target = model.of(`ep${l4}`).get(priorityText(endpoint));
    ok(target !== undefined, `endpoint ${endpoint} of ${key} is there`);
    return target;
  }).toSorted();
}

const targetsOf = (numbers: readonly number[], localUpTo: number, heavy: number): Target[] =>
  numbers.map((number) => ({
    ip: `10.244.0.${number}`,
    port: 8080,
    local: number <= localUpTo,
    weight: number % 2 === 0 ? heavy : 1,
  }));

/** One Service with a TCP and a UDP port; `number` gives its addresses, several share one externalIP's worth of hairpins. */
const planOf = (
  number: number,
  endpoints: readonly number[],
  affinity: boolean,
  local: boolean,
  heavy = 1,
  balance?: Balance,
): ServicePlan => {
  const all = targetsOf(endpoints, 3, heavy);
  const near = all.filter((target) => target.local);
  const to = (targets: readonly Target[]) =>
    targets.length > 0 ? ({ to: "targets", targets } as const) : ({ to: all.length > 0 ? "drop" : "reject" } as const);
  return {
    key: `default/s${number}`,
    clusterIPs: [`10.96.0.${number}`],
    ports: (["TCP", "UDP"] as const).map((protocol) => ({
      id: `default/s${number}:${protocol}`,
      family: "IPv4",
      protocol,
      frontends: [{ ip: `10.96.0.${number}`, port: 80, kind: "cluster" }],
      nodePort: 30000 + number,
      internal: to(all),
      external: to(local ? near : all),
      externalLocal: local,
      cluster: to(all),
      serving: all.map(({ ip, port }) => ({ ip, port })),
      balance,
      onRemoval: { action: "keep" },
      keepsPort: false,
      affinitySeconds: affinity ? 10 : undefined,
      sourceRanges: undefined,
    })),
    healthCheckNodePort: undefined,
    localReady: [],
    penaltyBox: true,
    complaints: [],
  };
};

const step = (model: Model, state: NftState, key: string, part: NftPart | undefined): string[] => {
  const transaction = new Transaction(state, ["IPv4"]);
  transaction.service(key, part);
  const lines = transaction.lines(1);
  model.run(lines);
  transaction.commit(lines.length === 0 ? undefined : 1);
  return lines;
};

/** What stands in the slots of a list, sorted: each target as often as its share says. */
function slotsDue(targets: readonly Target[], balance: Balance | undefined): string[] {
  const names = targets.map(({ ip, port }) => `${ip} . ${port}`);
  if (balance === "maglev") {
    return maglevTable(targets.map(({ weight }, at) => ({ name: names[at]!, weight }))).toSorted();
  }
  const shares = slotShares(targets.map(({ weight }) => weight));
  return names.flatMap((name, at) => Array<string>(shares[at]!).fill(name)).toSorted();
}

test("diffs of random plans, one after another, lead to what each plan says, and to nothing else", () => {
  const change = fc.record({
    service: fc.integer({ min: 1, max: 4 }),
    gone: fc.boolean(),
    endpoints: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 8 }),
    affinity: fc.boolean(),
    local: fc.boolean(),
    heavy: fc.integer({ min: 1, max: 4 }),
    balance: fc.constantFrom(undefined, "random", "round-robin", "least-connections", "maglev", "source-hash"),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 25 }), (changes) => {
      const model = new Model();
      const state = new NftState();
      const wanted = new Map<string, { plan: ServicePlan; affinity: boolean }>();
      for (const { service, gone, endpoints, affinity, local, heavy, balance } of changes) {
        const plan = planOf(service, endpoints, affinity, local, heavy, balance);
        if (gone) wanted.delete(plan.key);
        else wanted.set(plan.key, { plan, affinity });
        step(model, state, plan.key, gone ? undefined : compile(plan, NODE));
      }
      // The same number of elements as from scratch, so nothing is left behind; and each way in leads where it should.
      const scratch = new Model();
      const fresh = new NftState();
      for (const [key, { plan }] of wanted) step(scratch, fresh, key, compile(plan, NODE));
      for (const set of [
        "fe",
        "feo",
        "np",
        "npo",
        "bet",
        "beu",
        "aslot",
        "ept",
        "epu",
        "rej",
        "drp",
        "rej_np",
        "drp_np",
        "hairpin",
        "cluster_ips",
      ]) {
        equal(model.of(set).size, scratch.of(set).size, `elements of ${set}`);
        if (!/^(be|ep|aslot|fe|np)/.test(set))
          deepEqual([...model.of(set).keys()].toSorted(), [...scratch.of(set).keys()].toSorted());
      }
      for (const { plan, affinity } of wanted.values()) {
        for (const port of plan.ports) {
          const l4 = port.protocol === "TCP" ? "tcp" : "udp";
          const letter = port.protocol === "TCP" ? "t" : "u";
          const text = (destination: typeof port.cluster): string[] | undefined =>
            destination.to === "targets" ? slotsDue(destination.targets, plan.ports[0]!.balance) : undefined;
          deepEqual(
            resolve(model, "fe", `${port.frontends[0]!.ip} . ${l4} . 80`, letter, affinity),
            text(port.internal),
          );
          deepEqual(resolve(model, "np", `${l4} . ${port.nodePort}`, letter, affinity), text(port.cluster));
          const outside = port.externalLocal
            ? resolve(model, "npo", `${l4} . ${port.nodePort}`, letter, affinity)
            : text(port.external);
          deepEqual(outside, text(port.external) ?? (port.external.to === "drop" ? [] : undefined));
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("slots: what stays keeps its slot, the last fills a hole, and none is left out", () => {
  deepEqual(assignSlots([], ["a", "b"]), ["a", "b"]);
  deepEqual(assignSlots(["a", "b", "c", "d"], ["b", "c", "d"]), ["d", "b", "c"]);
  deepEqual(assignSlots(["a", "b", "c"], ["a", "x", "c"]), ["a", "x", "c"]);
  deepEqual(assignSlots(["a", "b"], ["a", "b", "c"]), ["a", "b", "c"]);
  deepEqual(assignSlots(["a", "b"], ["a", "b", "b", "b"]), ["a", "b", "b", "b"]);
  deepEqual(assignSlots(["a", "b", "b", "c"], ["a", "b", "c"]), ["a", "b", "c"]);
  const list = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 14 });
  fc.assert(
    fc.property(list, list, (one, other) => {
      const [was, is] = [one.map(String), other.map(String)];
      const slots = assignSlots(was, is);
      deepEqual(slots.toSorted(), is.toSorted());
      const count = (all: readonly string[], target: string): number => all.filter((name) => name === target).length;
      const gone = [...new Set(was)].reduce(
        (sum, target) => sum + Math.max(0, count(was, target) - count(is, target)),
        0,
      );
      const moved = slots.filter((target, slot) => was.includes(target) && was[slot] !== target).length;
      const more = [...new Set(is)].reduce(
        (sum, target) => sum + (was.includes(target) ? Math.max(0, count(is, target) - count(was, target)) : 0),
        0,
      );
      ok(moved <= gone + more, "no more move than there are holes and new shares");
    }),
  );
});

test("numbers of shapes that no list has are taken again; where none is left, turns become chance", () => {
  const state = new NftState();
  for (let list = 0; list < 2046; list++) state.shape("IPv4", { ...PLAIN, choice: "turn", list });
  const random = state.shape("IPv4", PLAIN);
  equal(state.shapesLeft("IPv4"), 0);
  equal(state.shape("IPv4", { ...PLAIN, choice: "turn", list: 9999 }), random);
  throws(() => state.shape("IPv4", { ...PLAIN, slots: 2 }), /2047 sizes of lists are in use/);
  ok(state.shape("IPv6", { ...PLAIN, choice: "turn", list: 9999 }) > 0);
  state.forgetShapes(state.idleShapes("IPv4"));
  equal(state.shapesLeft("IPv4"), 2047);
});

test("PRX-168: swapping one of ten endpoints is one slot: a delete and an add, and no chain", () => {
  const [model, state] = [new Model(), new NftState()];
  const ten = Array.from({ length: 10 }, (_, at) => at + 11);
  step(model, state, "default/s1", compile(planOf(1, ten, false, false), NODE));
  const lines = step(model, state, "default/s1", compile(planOf(1, [...ten.slice(1), 99], false, false), NODE));
  deepEqual(lines, [
    "delete element ip fairlead bet { 0:4000 . 0 }",
    "delete element ip fairlead beu { 0:8000 . 0 }",
    "add element ip fairlead bet { 0:4000 . 0 : 10.244.0.99 . 8080 }",
    "add element ip fairlead beu { 0:8000 . 0 : 10.244.0.99 . 8080 }",
    "delete element ip fairlead state { 0 }",
    "add element ip fairlead state { 0 : 1, 1 : 2 }",
  ]);
});

test("the chain of a shape tries every list a second time on slot 0", () => {
  const table = "ip fairlead lb3";
  deepEqual(shapeLines({ ...PLAIN, slots: 3 }, "IPv4"), [
    `add chain ${table}`,
    `flush chain ${table}`,
    `add rule ${table} meta priority set meta priority and 0xffffe000`,
    `add rule ${table} meta l4proto tcp dnat to meta priority . numgen random mod 3 map @bet`,
    `add rule ${table} meta l4proto udp dnat to meta priority . numgen random mod 3 map @beu`,
    `add rule ${table} meta l4proto sctp dnat to meta priority . numgen random mod 3 map @bes`,
    `add rule ${table} meta l4proto tcp dnat to meta priority . numgen random mod 1 map @bet`,
    `add rule ${table} meta l4proto udp dnat to meta priority . numgen random mod 1 map @beu`,
    `add rule ${table} meta l4proto sctp dnat to meta priority . numgen random mod 1 map @bes`,
  ]);
  const sticky = shapeLines({ ...PLAIN, slots: 3, affinity: 60, local: true }, "IPv6").filter((line) =>
    line.includes("mod "),
  );
  deepEqual(sticky, [
    "add rule ip6 fairlead lb3_t60_local meta priority set meta priority . numgen random mod 3 map @aslot jump settle_t60_local",
    "add rule ip6 fairlead lb3_t60_local meta priority set meta priority . numgen random mod 1 map @aslot jump settle_t60_local",
  ]);
});

test("the frame never touches the packet mark or the connection mark", () => {
  const { lines } = compileNode({ ...NODE, families: ["IPv4", "IPv6"], forwardOnly: { interfacePrefix: "fl" } });
  deepEqual(
    lines.filter((line) => /(meta|ct) mark/.test(line)),
    [],
  );
});

test("priorities are written as nft lists them", () => {
  for (const number of [0, 1, 0x2004, 0x10000, listNumber(2 ** 18 - 1, "local")])
    equal(priorityNumber(priorityText(number)), number);
  equal(priorityText(0x12004), "1:2004");
});

test("PRX-060, PRX-061: masquerading of clusterIP traffic follows the local detector and masqueradeAll", () => {
  const kind = (change: Partial<NodePlan>): number =>
    compile(planOf(1, [1], false, false), { ...NODE, ...change }).ports[0]!.entrances.find(({ map }) => map === "fe")!
      .masquerade;
  deepEqual(
    [kind({}), kind({ localDetector: { by: "ranges", ranges: [] } }), kind({ masqueradeAll: true })],
    [0, 2, 1],
  );
});

test("PRX-080: loopback addresses serve no node ports", () => {
  const { elements } = compileNode({ ...NODE, nodePortAddresses: { IPv4: ["127.0.0.1", "192.168.8.1"], IPv6: [] } });
  const nodeIPs: Element[] = elements.filter(({ set }) => set === "node_ips");
  deepEqual(
    nodeIPs.map(({ key }) => key),
    ["192.168.8.1"],
  );
});
