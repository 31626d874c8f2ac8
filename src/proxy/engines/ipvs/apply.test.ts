import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Host, RunResult } from "../../../host/host.ts";
import type { Destination, NodePlan, ServicePlan, Target } from "../../plan/plan.ts";
import { apply } from "./apply.ts";
import { compile } from "./compile.ts";
import { compileNode } from "./frame.ts";
import { Iptables } from "./iptables.ts";
import { read } from "./read.ts";
import type { IpvsState } from "./state.ts";

const signal = new AbortController().signal;
const unused = (): never => {
  throw new Error("nobody asks for this");
};

/** What of a kernel this engine writes: virtual servers, elements of sets and addresses, by the words of the tools. */
class Kernel {
  readonly servers = new Map<string, { choice: string; targets: Map<string, string> }>();
  readonly elements = new Map<string, string>();
  readonly addresses = new Set<string>();

  #server(line: string): string {
    const [, verb, key = "", rest = ""] = /^-([AEDaed]) (-f \d+(?: -6)?|\S+ \S+) ?(.*)$/.exec(line) ?? [];
    const held = this.servers.get(key);
    if ((held === undefined) !== (verb === "A")) return `${line}: no such service, or there already\n`;
    if (verb === "A") this.servers.set(key, { choice: rest, targets: new Map() });
    else if (verb === "E") held!.choice = rest;
    else if (verb === "D") this.servers.delete(key);
    else {
      const [, target = "", weight = ""] = /^-r (\S+)(?: -m -w (\d+))?$/.exec(rest) ?? [];
      if (held!.targets.has(target) === (verb === "a")) return `${line}: no such destination, or there already\n`;
      if (verb === "d") held!.targets.delete(target);
      else held!.targets.set(target, weight);
    }
    return "";
  }

  #line(command: string, line: string): string {
    const [verb, one = "", two = "", ...rest] = line.split(" ");
    if (command === "ipvsadm") return this.#server(line);
    if (command === "ipset" && verb === "add") this.elements.set(`${one} ${two}`, rest.join(" "));
    if (command === "ipset" && verb === "del") this.elements.delete(`${one} ${two}`);
    if (command === "ip" && `${verb} ${one}` === "addr add") this.addresses.add(two.split("/")[0]!);
    if (command === "ip" && `${verb} ${one}` === "addr del") this.addresses.delete(two.split("/")[0]!);
    return "";
  }

  saved(): string[] {
    return [...this.servers].flatMap(([key, { choice, targets }]) => [
      `-A ${key} ${choice}`,
      ...[...targets].map(([target, weight]) => `-a ${key} -r ${target} -m -w ${weight}`),
    ]);
  }

  exact(): string[] {
    return [...this.saved(), ...[...this.elements].map(([key, data]) => `${key} ${data}`)].toSorted();
  }

  readonly host: Host = {
    run: (command, args, options): Promise<RunResult> => {
      const lines = (options?.input ?? "").split("\n").filter((line) => line !== "");
      const stderr = lines.map((line) => this.#line(command, line)).join("");
      let stdout = "";
      if (command === "ipvsadm" && args[0] === "-S") stdout = this.saved().join("\n");
      if (command === "ipset" && args[0] === "save") {
        stdout = [...this.elements].map(([key, data]) => `add ${key} ${data}`.trim()).join("\n");
      }
      if (command === "ip" && args[0] === "-json") {
        const info = [...this.addresses].map((local) => ({ family: "inet", local, scope: "global" }));
        stdout = JSON.stringify([{ addr_info: info }]);
      }
      return Promise.resolve({ code: 0, stdout, stderr });
    },
    check: (command, args, options) => this.host.run(command, args, options),
    which: (tool) => Promise.resolve(tool),
    open: unused,
    startDetached: unused,
  };

  /** What is there, without what tells of the past: who is on the way out, and which number a mark has. */
  carried(): string[] {
    const lists = new Map<string, string[]>();
    for (const line of this.saved()) {
      const [, mark] = /-f (\d+)/.exec(line) ?? [];
      if (mark === undefined || line.endsWith("-w 0")) continue;
      const name = `0x${Number(mark).toString(16)}`;
      lists.set(name, [...(lists.get(name) ?? []), line.replace(mark, "")].toSorted());
    }
    const named = (data: string): string =>
      data.replace(/0x[\da-f]{8}\/.*/, (mark) => String(lists.get(mark.split("/")[0]!)));
    return [
      ...this.saved().filter((line) => !line.endsWith("-w 0") && !line.includes("-f ")),
      ...[...lists.values()].map(String),
      ...[...this.elements].map(([key, data]) => `${key} ${named(data)}`),
      ...this.addresses,
    ].toSorted();
  }
}

const NODE: NodePlan = {
  nodeName: "node1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: ["192.168.8.1"], IPv6: [] },
  localhostNodePorts: true,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16"] },
  nodeAddresses: ["192.168.8.1", "10.244.0.1"],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};

const targets: fc.Arbitrary<Target[]> = fc.uniqueArray(
  fc.record({
    ip: fc.constantFrom("10.244.0.2", "10.244.0.3", "10.244.1.4"),
    port: fc.constant(8080),
    local: fc.boolean(),
    weight: fc.integer({ min: 1, max: 2 }),
  }),
  { selector: ({ ip }) => ip, minLength: 1 },
);
const destination: fc.Arbitrary<Destination> = fc.oneof(
  { weight: 3, arbitrary: targets.map((all): Destination => ({ to: "targets", targets: all })) },
  fc.constantFrom<Destination>({ to: "reject" }, { to: "drop" }),
);
const plan: fc.Arbitrary<ServicePlan> = fc
  .record({
    number: fc.integer({ min: 1, max: 3 }),
    protocol: fc.constantFrom("TCP", "UDP"),
    internal: destination,
    external: destination,
    cluster: destination,
    externalLocal: fc.boolean(),
    affinitySeconds: fc.constantFrom(undefined, 60),
    balance: fc.constantFrom(undefined, "maglev", "least-connections"),
    hasNodePort: fc.boolean(),
    shared: fc.boolean(),
    sourceRanges: fc.constantFrom(undefined, ["192.168.0.0/16"], ["198.51.100.0/24"]),
  })
  .map(({ number, hasNodePort, shared, ...rest }) => ({
    key: `default/s${number}`,
    clusterIPs: [`10.96.0.${number}`],
    ports: [
      {
        id: `default/s${number}:/${rest.protocol}`,
        family: "IPv4",
        frontends: [
          { ip: `10.96.0.${number}`, port: 80, kind: "cluster" },
          { ip: shared ? "192.0.2.9" : `192.0.2.${number}`, port: 80 + number, kind: "loadBalancer" },
        ],
        nodePort: hasNodePort ? 30_000 + number : undefined,
        serving: [],
        onRemoval: { action: "keep" },
        keepsPort: false,
        ...rest,
      },
    ],
    healthCheckNodePort: undefined,
    localReady: [],
    penaltyBox: false,
    complaints: [],
  }));

/** One proxy on a kernel. */
class Proxy {
  readonly kernel: Kernel;
  state: IpvsState | undefined;
  readonly #frame = compileNode(NODE);
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }
  async carry(plans: ReadonlyMap<string, ServicePlan>): Promise<void> {
    const { host } = this.kernel;
    const parts = new Map([...plans].map(([key, one]) => [key, compile(one, NODE, "rr")]));
    const was = this.state ?? (await read(host, signal));
    const next = { frame: this.#frame, parts };
    this.state = await apply(host, new Iptables(host), next, was, { isExcluded: () => false }, signal);
  }
}

test("PRX-267: after any of 300 sequences of changes and restarts there is what a fresh start writes, and a restart changes nothing", async () => {
  const changes = fc.array(
    fc.oneof(
      plan,
      fc.integer({ min: 1, max: 3 }),
      fc.constant("restart" as const),
      fc.record({ unseen: fc.integer({ min: 1, max: 3 }) }),
    ),
    {
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const plans = new Map<string, ServicePlan>();
      let proxy = new Proxy(new Kernel());
      for (const change of all) {
        if (change === "restart") {
          const before = proxy.kernel.exact();
          const had = proxy.state !== undefined;
          proxy = new Proxy(proxy.kernel);
          await proxy.carry(plans);
          if (had) deepEqual(proxy.kernel.exact(), before);
          continue;
        }
        if (typeof change === "object" && "unseen" in change) {
          // It goes while no proxy runs.
          plans.delete(`default/s${change.unseen}`);
          proxy = new Proxy(proxy.kernel);
        } else if (typeof change === "number") plans.delete(`default/s${change}`);
        else plans.set(change.key, change);
        await proxy.carry(plans);
      }
      await proxy.carry(plans);
      const fresh = new Proxy(new Kernel());
      await fresh.carry(plans);
      deepEqual(proxy.kernel.carried(), fresh.kernel.carried());
    }),
    { numRuns: 300 },
  );
});
